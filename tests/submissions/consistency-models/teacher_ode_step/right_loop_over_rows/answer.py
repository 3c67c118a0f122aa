def teacher_ode_step(teacher, x_tn1, t_n1, t_n):
    with torch.no_grad():
        v = teacher(x_tn1, t_n1)
        out = torch.empty_like(x_tn1)
        for i in range(len(x_tn1)):
            out[i] = x_tn1[i] - (t_n1[i] - t_n[i]) * v[i]
        return out
