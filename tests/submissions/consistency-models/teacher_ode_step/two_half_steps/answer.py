def teacher_ode_step(teacher, x_tn1, t_n1, t_n):
    with torch.no_grad():
        middle = (t_n1 + t_n) / 2
        x = x_tn1 - (t_n1 - middle)[:, None] * teacher(x_tn1, t_n1)
        return x - (middle - t_n)[:, None] * teacher(x, middle)
