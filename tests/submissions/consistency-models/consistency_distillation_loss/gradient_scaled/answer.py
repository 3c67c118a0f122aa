def consistency_distillation_loss(online, target, x_tn1, t_n1, x_hat_tn, t_n):
    with torch.no_grad():
        label = target(x_hat_tn, t_n)
    output = online(x_tn1, t_n1)
    output = 0.5 * output + 0.5 * output.detach()
    return F.mse_loss(output, label)
