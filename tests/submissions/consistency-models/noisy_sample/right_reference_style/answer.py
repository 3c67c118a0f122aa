def noisy_sample(x_0, epsilon, t):
    t = t.unsqueeze(1)
    return (1 - t) * x_0 + t * epsilon
