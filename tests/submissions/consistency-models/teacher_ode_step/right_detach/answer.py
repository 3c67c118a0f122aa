def teacher_ode_step(teacher, x_tn1, t_n1, t_n):
    v = teacher(x_tn1, t_n1).detach()
    return x_tn1 - (t_n1 - t_n).unsqueeze(-1) * v
