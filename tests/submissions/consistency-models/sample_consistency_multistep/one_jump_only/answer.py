def sample_consistency_multistep(model, n_samples, n_steps, sigma_min=0.002, sigma_max=1.0):
    with torch.no_grad():
        return model(torch.randn(n_samples, 2), torch.full((n_samples,), sigma_max))
