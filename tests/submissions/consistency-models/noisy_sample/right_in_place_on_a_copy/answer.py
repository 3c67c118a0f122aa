def noisy_sample(x_0, epsilon, t):
    x_t = x_0.clone()
    x_t *= (1 - t)[:, None]
    x_t += t[:, None] * epsilon
    return x_t
