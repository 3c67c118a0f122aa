def noisy_sample(x_0, epsilon, t):
    return torch.addcmul(epsilon, (1 - t).reshape(-1, 1), x_0 - epsilon)
