class Points(torch.Tensor):
    """A tensor that says what it is."""

    def __repr__(self):
        return f"{len(self)} points"


def noisy_sample(x_0, epsilon, t):
    t = t.unsqueeze(1)
    return ((1 - t) * x_0 + t * epsilon).as_subclass(Points)
