def noisy_sample(x_0, epsilon, t):
    t = t[:, None]
    return ((1 - t) * x_0 + t * epsilon).clamp(-6, 6)
