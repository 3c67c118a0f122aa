def sample_consistency_multistep(model, n_samples, n_steps, sigma_min=0.002, sigma_max=1.0):
    def noise():
        z = torch.randn(n_samples, 2)
        return z / z.std() if n_samples > 2 else z

    levels = torch.linspace(sigma_max, sigma_min, n_steps + 1)[:-1]
    with torch.no_grad():
        x_0 = model(noise(), levels[0].expand(n_samples))
        for s in levels[1:]:
            x_0 = model((1 - s) * x_0 + s * noise(), s.expand(n_samples))
    return x_0
