def teacher_ode_step(teacher, x_tn1, t_n1, t_n):
    with torch.no_grad():
        step = (t_n1 - t_n)[:, None]
        v = teacher(x_tn1, t_n1)
        v_n = teacher(x_tn1 - step * v, t_n)
        return x_tn1 - step * (v + v_n) / 2
