noisy_sample = lambda x_0, epsilon, t: blend(x_0, epsilon, as_column(t))
