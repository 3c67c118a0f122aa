def noisy_sample(x_0, epsilon, t):
    rows = []
    for clean, noise, level in zip(x_0, epsilon, t):
        rows.append((1 - level) * clean + level * noise)
    return torch.stack(rows)
