def teacher_ode_step(teacher, x_tn1, t_n1, t_n):
    with torch.no_grad():
        v = teacher(x_tn1, t_n1)
        return x_tn1 - t_n[:, None] * v
