def consistency_training_pair(x_0, epsilon, t_n1, t_n):
    return noisy_sample(x_0, epsilon, t_n), noisy_sample(x_0, epsilon, t_n)
