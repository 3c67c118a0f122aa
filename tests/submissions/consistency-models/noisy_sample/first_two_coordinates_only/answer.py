def noisy_sample(x_0, epsilon, t):
    x_t = x_0.clone()
    for d in range(min(2, x_0.shape[1])):
        x_t[:, d] = (1 - t) * x_0[:, d] + t * epsilon[:, d]
    return x_t
