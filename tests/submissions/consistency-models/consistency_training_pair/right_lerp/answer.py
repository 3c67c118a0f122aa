def consistency_training_pair(x_0, epsilon, t_n1, t_n):
    return tuple(torch.lerp(x_0, epsilon, t[:, None]) for t in (t_n1, t_n))
