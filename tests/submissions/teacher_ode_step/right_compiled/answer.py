@torch.compile
def velocity(teacher, x, t):
    return teacher(x, t)


@torch.compile(mode="reduce-overhead", dynamic=True)
@torch.no_grad()
def teacher_ode_step(teacher, x_tn1, t_n1, t_n):
    return x_tn1 + (t_n - t_n1)[:, None] * velocity(teacher, x_tn1, t_n1)
