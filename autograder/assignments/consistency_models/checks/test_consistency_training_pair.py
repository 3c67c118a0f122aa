"""Hidden checks of consistency_training_pair: 10 points, 1 of them for what only the box can report."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import torch
from torch import Tensor

from autograder.assignments.consistency_models.checks import oracles, sentences
from autograder.assignments.consistency_models.checks.follow import NAME, at_fault, at_fault_later
from autograder.assignments.consistency_models.checks.strategies import LARGE, Draw, adjacent_levels, repeated
from autograder.assignments.consistency_models.misconceptions import KNOWN
from autograder.assignments.consistency_models.misconceptions.known import OWN_RANDOMNESS
from autograder.assignments.consistency_models.stand_in import noisy_sample
from autograder.checking import (
    Call,
    CheckFailed,
    Misconception,
    Reply,
    Rows,
    Student,
    close,
    contract,
    expect,
    inputs,
    match,
    points,
    wrong,
)

TASK = "consistency_training_pair"
ELSE = (
    "The two points are not the ones that the docstring asks for. "
    "If both lie on the straight line from one x_0 to one epsilon, what tells them apart?"
)

Arguments = tuple[Tensor, Tensor, Tensor, Tensor]  # x_0, epsilon, t_n1, t_n


LATER = (
    "The pair is right in the first calls and wrong in later ones: what does the code keep from one call to the next?"
)
CALLS = 200  # and as many again for another seed: together as many as a short training makes


def drawn(draw: Draw, rows: int, dimension: int = 2, scale: float = 1.0) -> Arguments:
    """Return data and noise of a scale and two levels for each row."""
    points = draw.normal(rows, dimension), draw.normal(rows, dimension)
    return scale * points[0], scale * points[1], *draw.neighbours(rows)


def pair_of(reply: Reply, shape: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Return the two tensors of an answer: a tuple, a list, or one tensor with both."""
    value = reply.value
    if isinstance(value, Tensor) and value.shape == (2, *shape):
        value = tuple(value)
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise contract(f"{TASK} should return two tensors, x_tn1 and x_tn, but it returned {described(reply)}.")
    return (
        expect.finite(value[0], shape, "the first of the two points"),
        expect.finite(value[1], shape, "the second of the two points"),
    )


def described(reply: Reply) -> str:
    """Return what came instead of a pair, in words."""
    if reply.type == "NoneType":
        return "None; does every path end with a return"
    if isinstance(reply.value, (tuple, list)):
        return f"{len(reply.value)} values"
    return f"an object of type {reply.type}"


def compare(student: Student, arguments: Arguments) -> Reply:
    """Call the answer and compare both points with the closed form; raises CheckFailed, else returns the reply.

    Where the student's own noisy_sample is at fault, the answer is compared with the judge's in its place.
    """
    try:
        return compare_once(student, arguments)
    except CheckFailed:
        if not own_mixture_at_fault(student, arguments):
            raise
    student.stand_in(NAME, noisy_sample)
    return compare_once(student, arguments)


def own_mixture_at_fault(student: Student, arguments: Arguments) -> bool:
    """Say whether noisy_sample fails at one of the two levels."""
    x_0, epsilon, t_n1, t_n = arguments
    return any(at_fault(student, x_0, epsilon, t) for t in (t_n1, t_n))


def compare_once(student: Student, arguments: Arguments) -> Reply:
    """Call the answer and compare both points with the closed form; raises CheckFailed, else returns the reply."""
    x_0, epsilon, t_n1, t_n = arguments
    reply = expect.call(student, TASK, *arguments)
    pair = pair_of(reply, tuple(x_0.shape))
    right = (oracles.mixture(x_0, epsilon, t_n1), oracles.mixture(x_0, epsilon, t_n))

    def recognise() -> Misconception | None:
        known = match(KNOWN[TASK], pair, x_0=x_0, epsilon=epsilon, t_n1=t_n1, t_n=t_n)
        return known if known is not None or same_again(student, pair, arguments) else OWN_RANDOMNESS

    for expected, got in zip(right, pair, strict=True):
        close(got, expected, ELSE, recognise)
    return reply


def same_again(student: Student, pair: tuple[Tensor, Tensor], arguments: Arguments) -> bool:
    """Say whether a second call with the same arguments gives the same pair."""
    again = pair_of(expect.call(student, TASK, *arguments), tuple(arguments[0].shape))
    return all(expect.same(one, other) for one, other in zip(pair, again, strict=True))


@points(4, value=True)
@inputs.each_seed(2)
def test_values(student: Student, seed: int) -> None:
    """Both points come from one x_0 and one epsilon, each at its own level."""
    draw = Draw(seed)
    # Some come twice: nothing may be left of a call when the next one has as many rows.
    for rows in (2, 3, 3, 1000, 1000):
        compare(student, drawn(draw, rows))
    with expect.only_here(lambda: compare(student, drawn(draw, 8)), sentences.RANGE):
        compare(student, drawn(draw, 9, scale=LARGE))
    compare_many(student, draw)


def compare_many(student: Student, draw: Draw) -> None:
    """Compare as many pairs as a training asks for; no training asks for this function's."""
    many = [torch.stack(each) for each in zip(*(drawn(draw, 4) for _ in range(CALLS)), strict=True)]
    try:
        compare_rounds(student, many)
    except CheckFailed:
        x_0, epsilon, t_n1, t_n = many
        if not at_fault_later(student, x_0, epsilon, t_n1) and not at_fault_later(student, x_0, epsilon, t_n):
            raise
        student.stand_in(NAME, noisy_sample)
        compare_rounds(student, many)


def compare_rounds(student: Student, many: list[Tensor]) -> None:
    """Compare pairs that are asked for in one message; `many` are the arguments, stacked."""
    (answers,) = student.rounds([Call(TASK, tuple(Rows(each) for each in many))], CALLS)
    x_0, epsilon, *levels = (each.flatten(0, 1) for each in many)
    for place, t in enumerate(levels):
        found = [point_of(pair, place, many[0].shape[1:]) for pair in answers]
        points = [point for point in found if point is not None]
        if len(points) < CALLS or not oracles.mixture(x_0, epsilon, t).matches(torch.cat(points)):
            raise wrong(LATER)


def point_of(pair: Any, place: int, shape: torch.Size) -> Tensor | None:
    """Return one of the two points of a pair, whatever that is; None where there is no tensor of that shape."""
    is_pair = isinstance(pair, (tuple, list)) or (isinstance(pair, Tensor) and pair.dim() > 0)
    point = pair[place] if is_pair and len(pair) == 2 else None
    return point if isinstance(point, Tensor) and point.shape == shape else None


@points(3, value=True)
@inputs.each_seed(1)
def test_batch_sizes_and_dimensions(student: Student, seed: int) -> None:
    """Any number of rows and of coordinates is legal."""
    draw = Draw(seed)
    with expect.only_here(lambda: compare(student, drawn(draw, 8)), sentences.SIZES):
        # No training asks for the pair, so the sizes of the notebook's are tried here: 128 rows, and half as many.
        for rows, dimension in ((1, 2), (2, 2), (64, 2), (128, 2), (512, 2), (600, 2), (3, 3), (1, 1), (4, 7)):
            compare(student, drawn(draw, rows, dimension))


@points(2, value=True)
@inputs.each_seed(1)
def test_ends_and_repeats(student: Student, seed: int) -> None:
    """Levels at 0 and at 1 and levels that occur more than once are all legal."""
    draw = Draw(seed)
    t_n1, t_n = draw.neighbours(6)
    with expect.only_here(lambda: compare(student, drawn(draw, 8)), sentences.TIMES):
        for upper, lower in (
            (torch.ones(4), torch.zeros(4)),
            (repeated(t_n1), repeated(t_n)),
            adjacent_levels(10),
            adjacent_levels(40),
        ):
            rows = len(upper)
            compare(student, (draw.normal(rows, 2), draw.normal(rows, 2), upper, lower))


@points(1)
@inputs.each_seed(1)
def test_arguments(student: Student, seed: int) -> None:
    """The arguments stay as they were."""
    draw = Draw(seed)
    names = ("x_0", "epsilon", "t_n1", "t_n")
    given = [drawn(draw, rows) for rows in (5, 600)]
    for arguments, reply in expect.right_ones(lambda case: compare(student, case), given):
        if own_mixture_at_fault(student, arguments):
            student.stand_in(NAME, noisy_sample)
            with suppress(CheckFailed):  # an answer may be right with the student's own alone
                reply = compare(student, arguments)
        expect.arguments_kept(reply, dict(enumerate(zip(names, arguments, strict=True))))
