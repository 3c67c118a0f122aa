def consistency_training_pair(x_0, epsilon, t_n1, t_n):
    levels = torch.stack([t_n1, t_n])[..., None]
    return (1 - levels) * x_0 + levels * epsilon
