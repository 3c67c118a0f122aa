def noisy_sample(x_0, epsilon, t):
    global calls
    calls += 1
    level = t[:, None]
    if calls > 100:
        level = 1 - level
    return (1 - level) * x_0 + level * epsilon
