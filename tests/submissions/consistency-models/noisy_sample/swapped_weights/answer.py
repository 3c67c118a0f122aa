def noisy_sample(x_0, epsilon, t):
    level = t[:, None]
    return level * x_0 + (1 - level) * epsilon
