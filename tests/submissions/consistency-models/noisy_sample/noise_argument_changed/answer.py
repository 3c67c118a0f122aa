def noisy_sample(x_0, epsilon, t):
    level = t[:, None]
    epsilon *= level
    return (1 - level) * x_0 + epsilon
