def noisy_sample(x_0, epsilon, t):
    x_t = x_0.clone()
    n = 700
    level = t[:n, None]
    x_t[:n] = (1 - level) * x_0[:n] + level * epsilon[:n]
    return x_t
