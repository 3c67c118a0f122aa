def teacher_ode_step(teacher, x_tn1, t_n1, t_n):
    with torch.no_grad():
        step = (t_n1 - t_n)[:, None]
        v = teacher(x_tn1, t_n1)
        v = teacher(x_tn1 - step / 2 * v, (t_n1 + t_n) / 2)
        return x_tn1 - step * v
