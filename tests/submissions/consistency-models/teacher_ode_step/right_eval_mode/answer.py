def teacher_ode_step(teacher, x_tn1, t_n1, t_n):
    with torch.no_grad():
        teacher.eval()
        v = teacher(x_tn1, t_n1.clone())
        return x_tn1.clone() - (t_n1 - t_n)[:, None].expand_as(v) * v
