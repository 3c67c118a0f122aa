"""What the judge answers in place of a student's function that has lost its points by itself.

An answer may call those of other tasks: a training pair is two calls of noisy_sample. A mistake there costs its points
there, and nowhere else; so in the boxes of these other tasks the name leads to us. Nothing of ours is in the box.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from autograder.assignments.consistency_models.checks.oracles import mixture
from autograder.checking import Probe

NUMBER = -1  # of its questions, as those of probes have theirs

Answer = Callable[[Any], Any]


def answering(answer: Answer) -> Answer:
    """Return what answers the questions of stand-ins too."""

    def both(question: Any) -> Any:
        if question["probe"] == NUMBER:
            return Probe(_mixed).ask(question["x"], question["t"])
        return answer(question)

    return both


def _mixed(x: Tensor, t: Tensor) -> Tensor:
    """Return noisy_sample's answer, (B, D), for x_0 and epsilon side by side, (B, 2 D), and t, (B,) or (B, 1)."""
    x_0, epsilon = x.chunk(2, dim=1)
    return mixture(x_0, epsilon, t).value.to(x.dtype)
