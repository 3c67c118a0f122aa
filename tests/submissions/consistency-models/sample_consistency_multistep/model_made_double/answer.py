def sample_consistency_multistep(model, n_samples, n_steps, sigma_min=0.002, sigma_max=1.0):
    precise = model.double().eval()
    levels = torch.linspace(sigma_max, sigma_min, n_steps + 1, dtype=torch.float64)[:-1]
    with torch.no_grad():
        x = torch.randn(n_samples, 2, dtype=torch.float64)
        for number, s in enumerate(levels):
            x = x if number == 0 else (1 - s) * x + s * torch.randn_like(x)
            x = precise(x, s.expand(n_samples))
    return x.float()
