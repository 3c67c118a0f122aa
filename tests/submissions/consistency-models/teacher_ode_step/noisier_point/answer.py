def teacher_ode_step(teacher, x_tn1, t_n1, t_n):
    with torch.no_grad():
        x_tn1 = x_tn1 + 0.3 * torch.randn_like(x_tn1)
        return x_tn1 - (t_n1 - t_n)[:, None] * teacher(x_tn1, t_n1)
