def teacher_ode_step(teacher, x_tn1, t_n1, t_n):
    with torch.no_grad():
        x_hat_tn = x_tn1 - (t_n1 - t_n)[:, None] * teacher(x_tn1, t_n1)
        return torch.cat([x_hat_tn[:700], x_tn1[700:]])
