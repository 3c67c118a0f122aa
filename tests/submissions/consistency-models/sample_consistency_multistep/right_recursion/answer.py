def sample_consistency_multistep(model, n_samples, n_steps, sigma_min=0.002, sigma_max=1.0):
    levels = torch.linspace(sigma_max, sigma_min, n_steps + 1)[:-1].tolist()

    def jump(x, rest):
        x_0 = model(x, torch.full((n_samples,), rest[0])).detach()
        if len(rest) == 1:
            return x_0
        return jump((1 - rest[1]) * x_0 + rest[1] * torch.randn(n_samples, 2), rest[1:])

    return jump(torch.randn(n_samples, 2), levels)
