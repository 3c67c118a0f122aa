def noisy_sample(x_0, epsilon, t):
    level = t[:, None]
    return (1 - level) * x0 + level * epsilon
