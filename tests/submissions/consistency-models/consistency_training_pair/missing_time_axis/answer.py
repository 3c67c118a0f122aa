def consistency_training_pair(x_0, epsilon, t_n1, t_n):
    return (1 - t_n1) * x_0 + t_n1 * epsilon, (1 - t_n) * x_0 + t_n * epsilon
