def teacher_ode_step(teacher, x_tn1, t_n1, t_n):
    before = torch.is_grad_enabled()
    torch.set_grad_enabled(False)
    try:
        v = teacher(x_tn1, t_n1)
        return x_tn1 - (t_n1 - t_n)[:, None] * v
    finally:
        torch.set_grad_enabled(before)
