def consistency_training_pair(x_0, epsilon, t_n1, t_n):
    def mix(noise, t):
        return (1 - t[:, None]) * x_0 + t[:, None] * noise

    x_tn1 = mix(epsilon, t_n1)
    x_0.copy_(mix(epsilon, t_n))
    return x_tn1, x_0
