def teacher_ode_step(teacher, x_tn1, t_n1, t_n):
    for p in teacher.parameters():
        p.requires_grad_(False)
    v = teacher(x_tn1, t_n1)
    return (x_tn1 - (t_n1 - t_n)[:, None] * v)
