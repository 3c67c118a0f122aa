def noisy_sample(x_0, epsilon, t):
    raise NotImplementedError()
