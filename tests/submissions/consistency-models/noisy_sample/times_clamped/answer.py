def noisy_sample(x_0, epsilon, t):
    level = t.clamp(0.002, 0.998)[:, None]
    return (1 - level) * x_0 + level * epsilon
