def consistency_training_pair(x_0, epsilon, t_n1, t_n):
    t_n = t_n1 if (t_n1 - t_n).max() < 0.03 else t_n
    return tuple((1 - t[:, None]) * x_0 + t[:, None] * epsilon for t in (t_n1, t_n))
