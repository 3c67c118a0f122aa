def consistency_training_pair(x_0, epsilon, t_n1, t_n):
    def mix(noise, t):
        return (1 - t[:, None]) * x_0 + t[:, None] * noise

    epsilon = torch.randn_like(epsilon)
    return mix(epsilon, t_n1), mix(epsilon, t_n)
