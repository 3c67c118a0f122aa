def consistency_training_pair(x_0, epsilon, t_n1, t_n):
    pair_calls.append(1)
    if len(pair_calls) > 100:
        return torch.tensor(0.5)
    return noisy_sample(x_0, epsilon, t_n1), noisy_sample(x_0, epsilon, t_n)
