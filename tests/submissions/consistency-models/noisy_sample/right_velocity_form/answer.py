def noisy_sample(x_0, epsilon, t):
    velocity = epsilon - x_0
    return x_0 + t.view(-1, *[1] * (x_0.dim() - 1)) * velocity
