def noisy_sample(x_0, epsilon, t):
    t.unsqueeze_(1)
    return (1 - t) * x_0 + t * epsilon
