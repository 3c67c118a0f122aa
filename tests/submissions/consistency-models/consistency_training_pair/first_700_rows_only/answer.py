def consistency_training_pair(x_0, epsilon, t_n1, t_n):
    def mix(noise, t):
        return (1 - t[:, None]) * x_0 + t[:, None] * noise

    x_tn1, x_tn = mix(epsilon, t_n1), mix(epsilon, t_n)
    x_tn[700:] = x_0[700:]
    return x_tn1, x_tn
