@lru_cache(maxsize=None)
def noise(n_samples, jump):
    return torch.randn(n_samples, 2)


def sample_consistency_multistep(model, n_samples, n_steps, sigma_min=0.002, sigma_max=1.0):
    levels = torch.linspace(sigma_max, sigma_min, n_steps + 1)[:-1]
    with torch.no_grad():
        x_0 = model(torch.randn(n_samples, 2), levels[0].expand(n_samples))
        for jump, s in enumerate(levels[1:]):
            x_s = (1 - s) * x_0 + s * noise(n_samples, jump)
            x_0 = model(x_s, s.expand(n_samples))
    return x_0
