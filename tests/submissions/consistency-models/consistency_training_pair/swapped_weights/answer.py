def consistency_training_pair(x_0, epsilon, t_n1, t_n):
    a, b = t_n1[:, None], t_n[:, None]
    return a * x_0 + (1 - a) * epsilon, b * x_0 + (1 - b) * epsilon
