def noisy_sample(x_0, epsilon, t):
    epsilon = torch.randn_like(x_0)
    level = t[:, None]
    return (1 - level) * x_0 + level * epsilon
