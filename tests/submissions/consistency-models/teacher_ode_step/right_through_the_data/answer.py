def teacher_ode_step(teacher, x_tn1, t_n1, t_n):
    with torch.no_grad():
        v = teacher(x_tn1, t_n1)
        x_0 = x_tn1 - t_n1[:, None] * v
        return x_0 + t_n[:, None] * v
