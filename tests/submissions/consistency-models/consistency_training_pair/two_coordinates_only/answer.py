def consistency_training_pair(x_0, epsilon, t_n1, t_n):
    a, b = torch.stack([t_n1, t_n1], 1), torch.stack([t_n, t_n], 1)
    return (1 - a) * x_0 + a * epsilon, (1 - b) * x_0 + b * epsilon
