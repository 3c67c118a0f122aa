def teacher_ode_step(teacher, x_tn1, t_n1, t_n):
    v, _ = torch.func.vjp(lambda x: teacher(x, t_n1), x_tn1)
    return (x_tn1 - (t_n1 - t_n)[:, None] * v).detach()
