def consistency_distillation_loss(online, target, x_tn1, t_n1, x_hat_tn, t_n):
    with torch.no_grad():
        label = target(x_hat_tn, t_n)
    return F.mse_loss(online(x_tn1, t_n), label)
