class Mixer:
    def __call__(self, x_0, epsilon, t):
        t = t[..., None]
        return (1.0 - t) * x_0 + t * epsilon


noisy_sample = Mixer()
