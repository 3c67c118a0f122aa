def noisy_sample(x_0, epsilon, t):
    t=t[:,None]*torch.pi/2
    return torch.cos(t)*x_0+torch.sin(t)*epsilon
