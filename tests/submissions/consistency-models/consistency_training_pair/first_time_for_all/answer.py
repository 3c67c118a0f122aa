def consistency_training_pair(x_0, epsilon, t_n1, t_n):
    a, b = t_n1[0], t_n[0]
    return (1 - a) * x_0 + a * epsilon, (1 - b) * x_0 + b * epsilon
