def teacher_ode_step(teacher, x_tn1, t_n1, t_n):
    with torch.no_grad():
        return x_tn1 - teacher(x_tn1, t_n1)
