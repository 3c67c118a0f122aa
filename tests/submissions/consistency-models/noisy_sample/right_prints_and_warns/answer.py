import warnings


def noisy_sample(x_0: torch.Tensor, epsilon: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    print("mixing", x_0.shape)
    warnings.warn("a warning is no mistake")
    level = t[:, None]
    return (1 - level) * x_0 + level * epsilon
