def teacher_ode_step(teacher: nn.Module, x_tn1: torch.Tensor, t_n1: torch.Tensor, t_n: torch.Tensor) -> torch.Tensor:
    return euler(lambda x, t: teacher(x, t), x_tn1, t_n1, t_n).data
