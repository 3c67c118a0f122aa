def consistency_training_pair(x_0, epsilon, t_n1, t_n):
    x_tn1 = noisy_sample(x_0, epsilon, t_n1)
    return x_tn1, x_tn1 + (t_n - t_n1)[:, None] * (epsilon - x_0)
