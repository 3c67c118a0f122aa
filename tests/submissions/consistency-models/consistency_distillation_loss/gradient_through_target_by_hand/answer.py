def consistency_distillation_loss(online, target, x_tn1, t_n1, x_hat_tn, t_n):
    return (online(x_tn1, t_n1) - target(x_hat_tn, t_n)).pow(2).mean()
