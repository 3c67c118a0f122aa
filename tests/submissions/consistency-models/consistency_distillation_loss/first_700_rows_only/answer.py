def consistency_distillation_loss(online, target, x_tn1, t_n1, x_hat_tn, t_n):
    with torch.no_grad():
        label = target(x_hat_tn, t_n)
    gap = online(x_tn1, t_n1) - label
    return gap[:700].square().sum() / gap.numel()
