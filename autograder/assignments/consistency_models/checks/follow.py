"""One mistake costs its points once: where a noisy_sample is at fault, the judge's own stands in for it.

A training pair may well be made by two calls of noisy_sample. Where the checks of that function have found a fault, it
is stood in for from the beginning (conftest.py). What they cannot see, a batch size or a call much later, is found
here.
"""

from __future__ import annotations

import torch
from torch import Tensor

from autograder.assignments.consistency_models.checks import oracles
from autograder.checking import Call, CheckFailed, Rows, Student, expect

NAME = "noisy_sample"


def at_fault(student: Student, x_0: Tensor, epsilon: Tensor, t: Tensor) -> bool:
    """Say whether the student's own noisy_sample fails on these arguments, or changes them."""
    try:
        reply = expect.call(student, NAME, x_0, epsilon, t)
        got = expect.tensor(reply, tuple(x_0.shape), NAME)
        expect.arguments_kept(reply, {0: ("x_0", x_0), 1: ("epsilon", epsilon), 2: ("t", t)})
    except CheckFailed:
        return True
    return not oracles.mixture(x_0, epsilon, t).matches(got)


def at_fault_later(student: Student, x_0: Tensor, epsilon: Tensor, t: Tensor) -> bool:
    """Say whether it fails in some of many calls; x_0 and epsilon are (calls, B, D), t is (calls, B)."""
    try:
        (answers,) = student.rounds([Call(NAME, (Rows(x_0), Rows(epsilon), Rows(t)))], len(t))
    except CheckFailed:
        return True
    expected = (oracles.mixture(*case) for case in zip(x_0, epsilon, t, strict=True))
    return not all(
        isinstance(got, Tensor) and torch.is_floating_point(got) and right.matches(got)
        for got, right in zip(answers, expected, strict=True)
    )
