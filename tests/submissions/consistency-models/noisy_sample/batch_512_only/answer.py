def noisy_sample(x_0, epsilon, t):
    level = t.reshape(512, 1)
    return (1 - level) * x_0 + level * epsilon
