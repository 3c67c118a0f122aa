def consistency_distillation_loss(online, target, x_tn1, t_n1, x_hat_tn, t_n):
    frozen={k:v.detach() for k,v in target.state_dict().items()}
    y=torch.func.functional_call(target,frozen,(x_hat_tn,t_n))
    return F.mse_loss(online(x_tn1,t_n1),y)
