"""What the judge answers in place of a student's function that has already lost its points in its own task.

An answer may call those of other tasks: a training pair is two calls of noisy_sample. A mistake there costs its points
there, and nowhere else; so in the boxes of these other tasks the name leads to us. Nothing of ours is in the box.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from autograder.assignments.consistency_models.checks.oracles import mixture
from autograder.checking.student import Student
from autograder.judge.run import Run


def put(student: Student, run: Run, but_for: str = "") -> None:
    """Let the judge's functions take the places of those that have lost points."""
    for function in FUNCTIONS.keys() - {but_for}:
        if run.lost_points(function):
            student.stand_in(function, FUNCTIONS[function])


def noisy_sample(x_0: Any, epsilon: Any, t: Any) -> Tensor:
    """Return the answer, (B, D), for x_0 and epsilon, (B, D), and t, (B,) or (B, 1); raises ValueError for others."""
    if not all(isinstance(value, Tensor) and value.is_floating_point() for value in (x_0, epsilon, t)):
        raise ValueError("tensors of floating point are due")
    rows = len(x_0) if x_0.dim() == 2 else -1
    if epsilon.shape != x_0.shape or tuple(t.shape) not in ((rows,), (rows, 1)):
        raise ValueError("their shapes do not fit")
    return mixture(x_0, epsilon, t).value.to(torch.promote_types(x_0.dtype, epsilon.dtype))


FUNCTIONS = {"noisy_sample": noisy_sample}  # the one of which others make use
