def noisy_sample(x_0, epsilon, t):
    level = t[:, None]
    return (1 - level).sqrt() * x_0 + level.sqrt() * epsilon
