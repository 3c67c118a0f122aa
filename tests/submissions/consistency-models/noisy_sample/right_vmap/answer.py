def noisy_sample(x_0, epsilon, t):
    return torch.vmap(lambda clean, noise, level: (1 - level) * clean + level * noise)(x_0, epsilon, t)
