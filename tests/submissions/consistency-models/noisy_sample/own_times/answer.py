def noisy_sample(x_0, epsilon, t):
    level = torch.rand(len(x_0), 1)
    return (1 - level) * x_0 + level * epsilon
