def teacher_ode_step(teacher, x_tn1, t_n1, t_n):
    with torch.no_grad():
        step = (t_n1 - t_n)[:, None]
        step = torch.where(step < 0.01, torch.zeros_like(step), step)
        return x_tn1 - step * teacher(x_tn1, t_n1)
