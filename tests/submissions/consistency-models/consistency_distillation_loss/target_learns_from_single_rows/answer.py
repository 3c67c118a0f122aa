def consistency_distillation_loss(online, target, x_tn1, t_n1, x_hat_tn, t_n):
    with torch.set_grad_enabled(len(t_n) == 1):
        label = target(x_hat_tn, t_n)
    loss = ((online(x_tn1, t_n1) - label) ** 2).mean()
    return loss
