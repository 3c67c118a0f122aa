def consistency_training_pair(x_0, epsilon, t_n1, t_n):
    return tuple(((1 - t[:, None]) * x_0 + t[:, None] * epsilon).clamp(-8, 8) for t in (t_n1, t_n))
