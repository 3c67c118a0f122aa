def noisy_sample(x_0, epsilon, t):
    return (1 - t) * x_0 + t * epsilon
