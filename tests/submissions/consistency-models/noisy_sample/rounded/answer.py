def noisy_sample(x_0, epsilon, t):
    level = t[:, None]
    x_t = (1 - level) * x_0 + level * epsilon
    return torch.round(x_t, decimals=3)
