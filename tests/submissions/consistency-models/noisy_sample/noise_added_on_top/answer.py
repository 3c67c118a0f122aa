def noisy_sample(x_0, epsilon, t):
    return x_0 + t[:, None] * epsilon
