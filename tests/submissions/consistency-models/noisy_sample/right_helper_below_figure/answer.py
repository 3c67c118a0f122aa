def noisy_sample(x_0, epsilon, t):
    return (1 - column(t)) * x_0 + column(t) * epsilon
