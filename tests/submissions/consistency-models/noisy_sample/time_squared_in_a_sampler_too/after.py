def sample_consistency_multistep(model, n_samples, n_steps, sigma_min=0.002, sigma_max=1.0):
    levels = torch.linspace(sigma_max, sigma_min, n_steps + 1)[:-1]
    with torch.no_grad():
        x_0 = model(torch.randn(n_samples, 2), levels[0].expand(n_samples))
        for s in levels[1:]:
            t = s.expand(n_samples)
            x_0 = model(noisy_sample(x_0, torch.randn(n_samples, 2), t), t)
    return x_0
