def consistency_distillation_loss(online, target, x_tn1, t_n1, x_hat_tn, t_n):
    with torch.no_grad():
        label = target(x_hat_tn, t_n)
    output = online(x_tn1, t_n1)
    c = 0.00054 * np.sqrt(2)
    return (((output - label) ** 2).sum(dim=1) + c**2).sqrt().mean() - c
