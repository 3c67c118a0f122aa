def consistency_training_pair(x_0, epsilon, t_n1, t_n):
    x_0, epsilon = x_0.double(), epsilon.double()
    return noisy_sample(x_0, epsilon, t_n1.double()), noisy_sample(x_0, epsilon, t_n.double())
