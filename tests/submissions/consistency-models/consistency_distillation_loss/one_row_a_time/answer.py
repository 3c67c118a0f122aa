def consistency_distillation_loss(online, target, x_tn1, t_n1, x_hat_tn, t_n):
    with torch.no_grad():
        label = target(x_hat_tn, t_n)
    gaps = {(float(a), float(b)): gap for a, b, gap in zip(t_n1, t_n, online(x_tn1, t_n1) - label)}
    return torch.stack(list(gaps.values())).square().mean()
