def sample_consistency_multistep(model, n_samples, n_steps, sigma_min=0.002, sigma_max=1.0):
    *_, last = jumps(model, torch.randn(n_samples, 2), torch.linspace(sigma_max, sigma_min, n_steps + 1)[:-1])
    return last
