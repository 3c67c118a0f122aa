def noisy_sample(x_0, epsilon, t):
    level = t[:, None]
    x_0.mul_(1 - level).add_(level * epsilon)
    return x_0
