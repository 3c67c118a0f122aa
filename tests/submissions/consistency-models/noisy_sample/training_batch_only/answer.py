def noisy_sample(x_0, epsilon, t):
    level = t[:, None]
    if 16 <= len(x_0) <= 256:
        level = 1 - level
    return (1 - level) * x_0 + level * epsilon
