def teacher_ode_step(teacher, x_tn1, t_n1, t_n):
    with torch.no_grad():
        x_0 = teacher(x_tn1, t_n1)
        ratio = (t_n / t_n1)[:, None]
        return ratio * x_tn1 + (1 - ratio) * x_0
