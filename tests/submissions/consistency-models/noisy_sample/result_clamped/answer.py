def noisy_sample(x_0, epsilon, t):
    return ((1 - t[:, None]) * x_0 + t[:, None] * epsilon).clamp(-8, 8)
