def noisy_sample(x_0, epsilon, t):
    level = t[:, None]
    return torch.sqrt(1 - level**2) * x_0 + level * epsilon
