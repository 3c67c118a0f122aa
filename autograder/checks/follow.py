"""One mistake costs its points once: what a wrong noisy_sample does to answers that call it.

A training pair may well be made by two calls of noisy_sample. Where that function fails by itself, its task has lost
the points; the pair is then measured against what the student's own noisy_sample makes of the same arguments.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from autograder.checks import expect
from autograder.checks.oracles import TOLERANCE
from autograder.checks.strategies import Draw
from autograder.student import Student
from autograder.verdict import CheckFailed, Status

Arguments = tuple[Tensor, Tensor, Tensor, Tensor]  # x_0, epsilon, t_n1, t_n
SEED = 1  # both sides draw the same numbers, should they draw any


def follows_own_mixture(student: Student, arguments: Arguments) -> bool:
    """Say whether a wrong pair is the work of the student's own, wrong, noisy_sample.

    Where the pair's function raises, noisy_sample must raise on the same arguments.
    """
    x_0, epsilon, t_n1, t_n = arguments
    if not _is_a_mixture_of_a_kind(student):
        return False
    try:
        student.seed(SEED)
        pair: object = expect.call(student, "consistency_training_pair", *arguments).value
    except CheckFailed as failure:
        if failure.status is not Status.RUNTIME:
            return False
        pair = None
    try:
        student.seed(SEED)
        upper = expect.call(student, "noisy_sample", x_0, epsilon, t_n1)
        # What the first call did to its arguments, the second one meets.
        left = [value if isinstance(value, Tensor) else x_0 for value in upper.arguments[:2]]
        lower = expect.call(student, "noisy_sample", *left, t_n)
    except CheckFailed as failure:
        return pair is None and failure.status is Status.RUNTIME
    if isinstance(pair, Tensor) and pair.shape == (2, *x_0.shape):
        pair = tuple(pair)
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:
        return False
    wrote = any(not torch.equal(after, before) for after, before in zip(left, (x_0, epsilon), strict=True))
    # The same tensor twice: a noisy_sample that writes into x_0 and returns it.
    own = [(upper.value, lower.value), *([(lower.value, lower.value)] if wrote else [])]
    return any(_same_pairs(pair, each) for each in own) or _same_pairs(pair, _in_one_call(student, arguments))


def _in_one_call(student: Student, arguments: Arguments) -> Sequence[object]:
    """Return what the student's noisy_sample makes of both levels in one call of twice the rows."""
    x_0, epsilon, t_n1, t_n = arguments
    student.seed(SEED)
    try:
        both = expect.call(
            student, "noisy_sample", torch.cat([x_0, x_0]), torch.cat([epsilon, epsilon]), torch.cat([t_n1, t_n])
        )
    except CheckFailed:
        return None, None
    halves = both.value.chunk(2) if isinstance(both.value, Tensor) and both.value.dim() else ()
    return halves if len(halves) == 2 else (None, None)


def _same_pairs(one: Sequence[object], other: Sequence[object]) -> bool:
    return all(same_numbers(first, second) for first, second in zip(one, other, strict=True))


def changed_by_own_mixture(student: Student, x_0: Tensor, epsilon: Tensor, t: Tensor) -> bool:
    """Say whether the student's noisy_sample itself changes its arguments."""
    try:
        reply = expect.call(student, "noisy_sample", x_0, epsilon, t)
    except CheckFailed:
        return False
    pairs = zip((x_0, epsilon, t), reply.arguments, strict=False)
    return any(isinstance(after, Tensor) and not torch.equal(after, before) for before, after in pairs)


def same_numbers(one: object, other: object) -> bool:
    """Say whether two tensors of one type hold nearly the same numbers, NaN in the same places included."""
    if not isinstance(one, Tensor) or not isinstance(other, Tensor):
        return False
    if one.shape != other.shape or one.dtype != other.dtype:
        return False
    return torch.allclose(one.double(), other.double(), rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True)


def _is_a_mixture_of_a_kind(student: Student) -> bool:
    """Say whether the student's noisy_sample depends on at least two of its three arguments.

    So a function that hands one of them back, or nothing, excuses no pair that does the same.
    """
    draw = Draw(0)
    x_0, epsilon, t = draw.normal(2, 2), draw.normal(2, 2), draw.times(2, 0.2, 0.4)
    inputs = ((x_0, epsilon, t), (x_0 + 1, epsilon, t), (x_0, epsilon + 1, t), (x_0, epsilon, t + 0.5))
    results = []
    try:
        for arguments in inputs:
            student.seed(SEED)
            results.append(expect.call(student, "noisy_sample", *arguments).value)
    except CheckFailed:
        return False
    base = results[0]
    return isinstance(base, Tensor) and sum(not same_numbers(base, other) for other in results[1:]) >= 2
