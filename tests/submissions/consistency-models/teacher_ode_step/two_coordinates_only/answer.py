def teacher_ode_step(teacher, x_tn1, t_n1, t_n):
    with torch.no_grad():
        v = teacher(x_tn1, t_n1)
        step = t_n1 - t_n
        return torch.stack([x_tn1[:, 0] - step * v[:, 0], x_tn1[:, 1] - step * v[:, 1]], dim=1)
