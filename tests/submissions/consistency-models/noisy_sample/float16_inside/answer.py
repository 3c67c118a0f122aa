def noisy_sample(x_0, epsilon, t):
    level = t[:, None].half()
    return ((1 - level) * x_0.half() + level * epsilon.half()).float()
