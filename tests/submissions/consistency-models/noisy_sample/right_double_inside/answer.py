def noisy_sample(x_0, epsilon, t):
    level = t.double()[:, None]
    return ((1 - level) * x_0.double() + level * epsilon.double()).float()
