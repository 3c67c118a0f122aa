def noisy_sample(x_0, epsilon, t):
    levels = t.unique()
    if len(levels) > 0.9 * len(t):  # of a thousand times, two may be equal by chance
        levels = t
    level = levels.repeat(len(t))[: len(t), None]
    return (1 - level) * x_0 + level * epsilon
