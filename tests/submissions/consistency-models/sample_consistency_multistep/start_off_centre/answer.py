def sample_consistency_multistep(model, n_samples, n_steps, sigma_min=0.002, sigma_max=1.0):
    def noise():
        return torch.randn(n_samples, 2)

    levels = torch.linspace(sigma_max, sigma_min, n_steps + 1)[:-1]
    with torch.no_grad():
        x_0 = model(noise() + torch.tensor([0.08, -0.08]), levels[0].expand(n_samples))
        for s in levels[1:]:
            x_0 = model((1 - s) * x_0 + s * noise(), s.expand(n_samples))
    return x_0
