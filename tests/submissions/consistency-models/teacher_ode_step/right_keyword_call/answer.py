def teacher_ode_step(teacher, x_tn1, t_n1, t_n):
    with torch.no_grad():
        v = teacher(x=x_tn1, t=t_n1)
        return torch.addcmul(x_tn1, (t_n1 - t_n)[:, None], v, value=-1)
