def consistency_training_pair(x_0, epsilon, t_n1, t_n):
    upper, lower = noisy_sample(x_0, epsilon, t_n1), noisy_sample(x_0, epsilon, t_n)
    return upper.clamp(-6, 6), lower.clamp(-6, 6)
