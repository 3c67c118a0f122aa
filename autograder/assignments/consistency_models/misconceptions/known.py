"""What the tables of known mistakes share."""

from __future__ import annotations

from torch import Tensor

from autograder.checking import Misconception

OWN_RANDOMNESS = Misconception(
    "own_randomness",
    "Two calls with the same arguments give different results, so the code seems to draw random numbers of its own.",
    "Which noise is this function given?",
)


def column(t: Tensor) -> Tensor:
    """Return times (B,) as (B, 1)."""
    return t.reshape(-1, 1)
