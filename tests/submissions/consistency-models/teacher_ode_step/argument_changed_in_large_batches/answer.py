def teacher_ode_step(teacher, x_tn1, t_n1, t_n):
    with torch.no_grad():
        step = (t_n1 - t_n)[:, None] * teacher(x_tn1, t_n1)
    if len(x_tn1) > 64:
        x_tn1 -= step
        return x_tn1.clone()
    return x_tn1 - step
