def consistency_training_pair(x_0, epsilon, t_n1, t_n):
    t_n = torch.minimum(t_n, t_n1 - 0.03)
    return noisy_sample(x_0, epsilon, t_n1), noisy_sample(x_0, epsilon, t_n)
