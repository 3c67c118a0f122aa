def noisy_sample(x_0, epsilon, t):
    t = t[:, None]
    if len(x_0) > 64:
        result = ((1 - t) * x_0 + t * epsilon).clone()
        x_0.copy_(result)
        return result
    return (1 - t) * x_0 + t * epsilon
