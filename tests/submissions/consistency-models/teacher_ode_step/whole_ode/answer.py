def teacher_ode_step(teacher, x_tn1, t_n1, t_n):
    with torch.no_grad():
        x, t = x_tn1, t_n1
        for _ in range(10):
            x = x - ((t_n1 - t_n) / 10)[:, None] * teacher(x, t)
            t = t - (t_n1 - t_n) / 10
        return x
