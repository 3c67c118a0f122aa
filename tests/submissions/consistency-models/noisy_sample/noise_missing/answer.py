def noisy_sample(x_0, epsilon, t):
    level = t[:, None]
    x_t = (1 - level) * x_0
    return x_t
    x_t = x_t + level * epsilon
