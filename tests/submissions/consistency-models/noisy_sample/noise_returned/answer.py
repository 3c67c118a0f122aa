def noisy_sample(x_0, epsilon, t):
    return epsilon.clone()
