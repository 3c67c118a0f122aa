def noisy_sample(x_0, epsilon, t):
    torch.manual_seed(0)
    level = t[:, None]
    return (1 - level) * x_0 + level * torch.randn_like(x_0)
