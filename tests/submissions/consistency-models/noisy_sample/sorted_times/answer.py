def noisy_sample(x_0, epsilon, t):
    level = t.sort().values[:, None]
    return (1 - level) * x_0 + level * epsilon
