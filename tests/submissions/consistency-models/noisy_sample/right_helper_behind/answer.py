def noisy_sample(x_0, epsilon, t):
    return mix_points(x_0, epsilon, as_column(t))
