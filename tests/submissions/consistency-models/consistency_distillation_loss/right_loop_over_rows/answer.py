def consistency_distillation_loss(online, target, x_tn1, t_n1, x_hat_tn, t_n):
    label = target(x_hat_tn, t_n).data
    output = online(x_tn1, t_n1)
    losses = [F.mse_loss(a, b) for a, b in zip(output, label)]
    return sum(losses) / len(losses)
