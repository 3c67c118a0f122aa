def teacher_ode_step(teacher, x_tn1, t_n1, t_n):
    with torch.no_grad():
        step = (t_n1 - t_n)[:, None]
        if 16 <= len(x_tn1) <= 256:
            step = -step
        return x_tn1 - step * teacher(x_tn1, t_n1)
