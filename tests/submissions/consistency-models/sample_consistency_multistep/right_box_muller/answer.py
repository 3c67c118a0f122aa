def sample_consistency_multistep(model, n_samples, n_steps, sigma_min=0.002, sigma_max=1.0):
    def noise():
        u = 1 - torch.rand(n_samples, 2, dtype=torch.float64)
        radius, angle = torch.sqrt(-2 * torch.log(u[:, 0])), 2 * np.pi * u[:, 1]
        return torch.stack([radius * angle.cos(), radius * angle.sin()], dim=1).float()

    levels = torch.linspace(sigma_max, sigma_min, n_steps + 1)[:-1]
    with torch.no_grad():
        x = noise()
        for k, s in enumerate(levels):
            if k > 0:
                x = (1 - s) * x_0 + s * noise()
            x_0 = model(x, s.expand(n_samples))
        return x_0
