def teacher_ode_step(teacher, x_tn1, t_n1, t_n):
    with torch.inference_mode():
        v = teacher(x_tn1, t_n1)
        x_hat_tn = x_tn1 - (t_n1 - t_n)[:, None] * v
    return x_hat_tn.clone()
