def consistency_distillation_loss(online: nn.Module, target: nn.Module, x_tn1, t_n1, x_hat_tn, t_n) -> torch.Tensor:
    def squared_error(a, b):
        return (a - b).square()

    with torch.set_grad_enabled(False):
        label = target(x=x_hat_tn, t=t_n)
    return torch.mean(squared_error(online(x=x_tn1, t=t_n1), label))
