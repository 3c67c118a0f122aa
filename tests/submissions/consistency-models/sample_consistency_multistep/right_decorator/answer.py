@torch.inference_mode()
def sample_consistency_multistep(model, n_samples, n_steps, sigma_min=0.002, sigma_max=1.0):
    model.eval()
    device = next(model.parameters()).device
    schedule = np.linspace(sigma_max, sigma_min, n_steps + 1)[:-1]
    x = torch.empty(n_samples, 2, device=device).normal_()
    sample = model(x, torch.full((n_samples,), float(schedule[0])))
    for level in schedule[1:]:
        level = float(level)
        x = sample * (1 - level) + torch.randn_like(sample) * level
        sample = model(x, torch.full((n_samples, 1), level))
    return sample.clone()
