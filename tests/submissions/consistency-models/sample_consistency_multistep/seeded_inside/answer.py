def sample_consistency_multistep(model, n_samples, n_steps, sigma_min=0.002, sigma_max=1.0):
    torch.manual_seed(0)
    levels = torch.linspace(sigma_max, sigma_min, n_steps + 1)[:-1]
    with torch.no_grad():
        x = torch.randn(n_samples, 2)
        for k, s in enumerate(levels):
            if k > 0:
                x = (1 - s) * x_0 + s * torch.randn(n_samples, 2)
            x_0 = model(x, s.expand(n_samples))
        return x_0
