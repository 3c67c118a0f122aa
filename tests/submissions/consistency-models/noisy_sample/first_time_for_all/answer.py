def noisy_sample(x_0, epsilon, t):
    return (1 - t[0]) * x_0 + t[0] * epsilon
