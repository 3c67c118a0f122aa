def sample_consistency_multistep(model, n_samples, n_steps, sigma_min=0.002, sigma_max=1.0):
    torch.set_grad_enabled(False)
    levels = torch.linspace(sigma_max, sigma_min, n_steps + 1)[:-1]
    x_0 = model(torch.randn(n_samples, 2), levels[0].expand(n_samples))
    for s in levels[1:]:
        x_0 = model((1 - s) * x_0 + s * torch.randn(n_samples, 2), s.expand(n_samples))
    return x_0
