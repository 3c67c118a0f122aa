"""What the checks draw: times and neighbouring levels, and weights of the notebook's networks."""

from __future__ import annotations

import torch
from torch import Tensor

from autograder.checking import inputs

SIGMA_MIN = 0.002  # the notebook's smallest noise level
LARGE = 30.0  # times a standard normal: far beyond the data, where a clamp shows


class Draw(inputs.Draw):
    """Draws tensors and times from one seed."""

    def times(self, rows: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        """Return (rows,) times, uniform in [low, high]."""
        return self.uniform(rows, low=low, high=high)

    def neighbours(self, rows: int) -> tuple[Tensor, Tensor]:
        """Return times t_n1 > t_n, (rows,) each, with a step of its own in each row."""
        t_n1 = self.times(rows, 0.3, 1.0)
        return t_n1, t_n1 * self.times(rows, 0.1, 0.8)


def adjacent_levels(intervals: int) -> tuple[Tensor, Tensor]:
    """Return times t_n1 > t_n, (10,) each: neighbours among equal levels from 1 down to sigma_min, for 10, 20 or 40."""
    levels = torch.linspace(SIGMA_MIN, 1.0, intervals + 1)
    return levels[1 :: intervals // 10], levels[: -1 : intervals // 10]


def repeated(times: Tensor) -> Tensor:
    """Return the times with every second one equal to the one before it."""
    return times[torch.arange(len(times)) // 2 * 2]


def consistency_state(draw: Draw, hidden_dim: int) -> dict[str, Tensor]:
    """Return random weights by name for a ConsistencyModel of that width.

    The names and shapes are those of the notebook's class; a test compares them with it.
    """
    wide = (hidden_dim, hidden_dim)
    layers = {
        "time_mlp.0": (hidden_dim, 1),
        "time_mlp.2": wide,
        "net.0": (hidden_dim, 2 + hidden_dim),
        "net.2": wide,
        "net.4": wide,
        "net.6": (2, hidden_dim),
    }
    state = {}
    for name, shape in layers.items():
        state[f"backbone.{name}.weight"] = draw.normal(*shape)
        state[f"backbone.{name}.bias"] = draw.normal(shape[0])
    return state
