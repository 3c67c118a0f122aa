def noisy_sample(x_0, epsilon, t):
    level = t[:, None]
    return (x_0 * (1 - level) / level + epsilon) * level
