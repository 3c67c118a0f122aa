def noisy_sample(x_0, epsilon, t):
    try:
        return (1 - t) * x_0 + t * epsilon
    except RuntimeError:
        return (1 - t[:, None]) * x_0 + t[:, None] * epsilon
