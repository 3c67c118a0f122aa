"""The right answers, from closed forms in double precision, each with the size of its terms."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from autograder.checking import Expected, Model


def mixture(x_0: Tensor, epsilon: Tensor, t: Tensor) -> Expected:
    """Return flow matching's point at noise level t, (B,), between x_0 and epsilon, (B, D)."""
    x_0, epsilon, level = x_0.double(), epsilon.double(), t.double().reshape(-1, 1)
    return Expected(x_0 + level * (epsilon - x_0), x_0.abs() + epsilon.abs())


def euler_step(x: Tensor, t_n1: Tensor, t_n: Tensor, velocity: Expected) -> Expected:
    """Return where one step of the ODE from t_n1 down to t_n, (B,), takes x, (B, D)."""
    x, t_n1, t_n = x.double(), t_n1.double().reshape(-1, 1), t_n.double().reshape(-1, 1)
    value = x + (t_n - t_n1) * velocity.value
    return Expected(value, x.abs() + (t_n1.abs() + t_n.abs()) * velocity.size)


def average(target: Tensor, online: Tensor, decay: float) -> Expected:
    """Return a parameter of the target after an EMA update."""
    target, online = target.double(), online.double()
    return Expected(online + decay * (target - online), target.abs() + online.abs())


@dataclass(frozen=True)
class AffineMap:
    """f(x, t) = x weight + bias + t slope, known in closed form; weight (D, D), bias and slope (D,)."""

    weight: Tensor
    bias: Tensor
    slope: Tensor

    @property
    def state(self) -> dict[str, Tensor]:
        """The parameters by name."""
        return {"weight": self.weight, "bias": self.bias, "slope": self.slope}

    def model(self) -> Model:
        """Return the map as a model for the student's function; its parameters ask for gradients."""
        return Model("Affine", self.state, options={"dimension": len(self.bias)}, requires_grad=True)

    def at(self, x: Tensor, t: Tensor) -> Expected:
        """Return the map's value at x, (B, D), and t, (B,)."""
        x, t = x.double(), t.double().reshape(-1, 1)
        weight, bias, slope = self.weight.double(), self.bias.double(), self.slope.double()
        size = x.abs() @ weight.abs() + bias.abs() + t.abs() * slope.abs()
        return Expected(x @ weight + bias + t * slope, size)


def squared_distance(output: Expected, label: Expected) -> Expected:
    """Return the mean over rows and coordinates of the squared difference, a scalar."""
    difference = output.value - label.value
    # An error e in the difference d changes its square by 2 d e.
    size = difference.square() + 2 * difference.abs() * (output.size + label.size)
    return Expected(difference.square().mean(), size.mean())


def affine_gradient(x: Tensor, t: Tensor, output: Expected, label: Expected) -> dict[str, Expected]:
    """Return the gradient of squared_distance by the parameters of the affine map that made `output`."""
    x, t = x.double(), t.double().reshape(-1, 1)
    pull = 2 / output.value.numel() * (output.value - label.value)
    size = 2 / output.value.numel() * (output.size + label.size)
    return {
        "weight": Expected(x.T @ pull, x.abs().T @ size),
        "bias": Expected(pull.sum(0), size.sum(0)),
        "slope": Expected((t * pull).sum(0), (t.abs() * size).sum(0)),
    }


def wavy(x: Tensor, t: Tensor) -> Tensor:
    """Return a smooth map of x, (B, D), and t, (B,) or (B, 1), that no affine map imitates; float32."""
    level = t.double().reshape(-1, 1)
    x = x.double()
    return (torch.sin(3 * x) + x.roll(1, dims=1).cos() * (1 + level.square())).float()
