def noisy_sample(x_0, epsilon, t):
    return torch.einsum("b,bd->bd", 1 - t, x_0) + torch.einsum("b,bd->bd", t, epsilon)
