def noisy_sample(x_0, epsilon, t):
    x_t = x_0.clone()
    for row in range(min(512, len(x_0))):
        x_t[row] = (1 - t[row]) * x_0[row] + t[row] * epsilon[row]
    return x_t
