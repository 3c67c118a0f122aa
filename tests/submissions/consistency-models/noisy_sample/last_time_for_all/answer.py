def noisy_sample(x_0, epsilon, t):
    for level in t:
        x_t = (1 - level) * x_0 + level * epsilon
    return x_t
