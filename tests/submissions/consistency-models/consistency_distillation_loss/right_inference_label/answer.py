def consistency_distillation_loss(online, target, x_tn1, t_n1, x_hat_tn, t_n):
    with torch.inference_mode():
        label = target(x_hat_tn, t_n)
    label = label.clone()
    return torch.mean(torch.square(label - online(x_tn1, t_n1)))
