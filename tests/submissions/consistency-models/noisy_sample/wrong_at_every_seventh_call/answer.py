def noisy_sample(x_0, epsilon, t):
    calls.append(t)
    level = t[:, None]
    return (1 - level) * x_0 + level * epsilon if len(calls) % 7 else x_0.clone()


calls = []
