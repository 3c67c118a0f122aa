def consistency_distillation_loss(online, target, x_tn1, t_n1, x_hat_tn, t_n):
    f = torch.vmap(lambda x, t: online(x[None], t[None])[0])(x_tn1, t_n1)
    with torch.no_grad():
        y = torch.vmap(lambda x, t: target(x[None], t[None])[0])(x_hat_tn, t_n)
    return ((f - y) ** 2).mean()
