@torch.no_grad()
def teacher_ode_step(teacher, x_tn1, t_n1, t_n):
    dt = t_n - t_n1
    return x_tn1 + dt.view(-1, 1) * teacher(x_tn1, t_n1)
