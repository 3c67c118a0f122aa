def consistency_training_pair(x_0, epsilon, t_n1, t_n):
    a, b = t_n1[:, None], t_n[:, None]
    return (1 - a**2).sqrt() * x_0 + a * epsilon, (1 - b**2).sqrt() * x_0 + b * epsilon
