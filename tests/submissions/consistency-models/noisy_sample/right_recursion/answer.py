def noisy_sample(x_0, epsilon, t):
    if len(x_0) == 1:
        return (1 - t[0]) * x_0 + t[0] * epsilon
    half = len(x_0) // 2
    upper = noisy_sample(x_0[:half], epsilon[:half], t[:half])
    lower = noisy_sample(x_0[half:], epsilon[half:], t[half:])
    return torch.cat([upper, lower])
