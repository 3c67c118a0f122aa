def teacher_ode_step(teacher, x_tn1, t_n1, t_n):
    with torch.no_grad():
        t_n1, t_n = t_n1[:, None], t_n[:, None]
        return x_tn1 - (t_n1 - t_n) * teacher(x_tn1, t_n1)
