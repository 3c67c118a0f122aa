def consistency_distillation_loss(online, target, x_tn1, t_n1, x_hat_tn, t_n):
    with torch.no_grad():
        label = target(x_hat_tn, t_n)
    output = online(x_tn1, t_n1)
    squares = ((output - label) ** 2).sum(dim=1)
    return ((squares + 0.03**2).sqrt() - 0.03).mean()
