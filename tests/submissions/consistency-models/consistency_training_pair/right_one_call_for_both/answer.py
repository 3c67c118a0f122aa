def consistency_training_pair(x_0, epsilon, t_n1, t_n):
    both = noisy_sample(torch.cat([x_0, x_0]), torch.cat([epsilon, epsilon]), torch.cat([t_n1, t_n]))
    x_tn1, x_tn = both.chunk(2)
    return x_tn1, x_tn
