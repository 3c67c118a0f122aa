def noisy_sample(x_0, epsilon, t):
    level = torch.stack([t, t], dim=1)
    return (1 - level) * x_0 + level * epsilon
