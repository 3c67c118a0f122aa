def noisy_sample(x_0, epsilon, t):
    return torch.diag(1 - t) @ x_0 + torch.diag(t) @ epsilon
