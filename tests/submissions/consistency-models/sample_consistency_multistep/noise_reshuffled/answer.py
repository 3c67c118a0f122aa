def sample_consistency_multistep(model, n_samples, n_steps, sigma_min=0.002, sigma_max=1.0):
    levels = torch.linspace(sigma_max, sigma_min, n_steps + 1)[:-1]
    noise = torch.randn(n_samples, 2)
    with torch.no_grad():
        x_0 = model(noise, levels[0].expand(n_samples))
        for s in levels[1:]:
            x_s = (1 - s) * x_0 + s * noise[torch.randperm(n_samples)]
            x_0 = model(x_s, s.expand(n_samples))
    return x_0
