def noisy_sample(x_0, epsilon, t):
    levels = t.unique()
    if len(levels) == len(t):
        levels = t
    level = levels.repeat(len(t))[: len(t), None]
    return (1 - level) * x_0 + level * epsilon
