def sample_consistency_multistep(model, n_samples, n_steps, sigma_min=0.002, sigma_max=1.0):
    levels = torch.linspace(sigma_max, sigma_min, n_steps + 1)
    x = torch.randn(n_samples, 2)
    with torch.no_grad():
        for k in range(n_steps):
            x = model(x, levels[k].repeat(n_samples))
            if k < n_steps - 1:
                x = torch.lerp(x, torch.randn_like(x), levels[k + 1])
    return x
