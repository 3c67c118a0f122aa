"""Hidden checks of consistency_training_pair: 10 points, 1 of them for what only the box can report."""

from __future__ import annotations

import torch
from torch import Tensor

from autograder.checks import expect, oracles
from autograder.checks.follow import changed_by_own_mixture, follows_own_mixture
from autograder.checks.strategies import Draw, each_seed, repeated
from autograder.misconceptions import OWN_RANDOMNESS, Misconception, match
from autograder.plugin import points
from autograder.student import Reply, Student
from autograder.verdict import CheckFailed, Status, contract

TASK = "consistency_training_pair"
ELSE = (
    "The two points are not the ones that the docstring asks for. "
    "If both lie on the straight line from one x_0 to one epsilon, what tells them apart?"
)

Arguments = tuple[Tensor, Tensor, Tensor, Tensor]  # x_0, epsilon, t_n1, t_n


def drawn(draw: Draw, rows: int, dimension: int = 2) -> Arguments:
    """Return data, noise and two levels for each row."""
    return draw.normal(rows, dimension), draw.normal(rows, dimension), *draw.neighbours(rows)


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


def compare(student: Student, arguments: Arguments) -> Reply | None:
    """Call the answer and compare both points with the closed form; raises CheckFailed, else returns the reply.

    Returns None where the pair is what the student's own, wrong, noisy_sample makes of the arguments.
    """
    x_0, epsilon, t_n1, t_n = arguments
    try:
        reply = expect.call(student, TASK, *arguments)
        pair = pair_of(reply, tuple(x_0.shape))
    except CheckFailed as failure:
        if failure.status in (Status.RUNTIME, Status.CONTRACT) and follows_own_mixture(student, arguments):
            return None
        raise
    right = (oracles.mixture(x_0, epsilon, t_n1), oracles.mixture(x_0, epsilon, t_n))
    if all(expected.matches(got) for expected, got in zip(right, pair, strict=True)):
        return reply
    if follows_own_mixture(student, arguments):
        return None

    def recognise() -> Misconception | None:
        known = match(TASK, pair, x_0=x_0, epsilon=epsilon, t_n1=t_n1, t_n=t_n)
        return known if known is not None or same_again(student, pair, arguments) else OWN_RANDOMNESS

    for expected, got in zip(right, pair, strict=True):
        expect.close(got, expected, ELSE, recognise)
    return reply


def same_again(student: Student, pair: tuple[Tensor, Tensor], arguments: Arguments) -> bool:
    """Say whether a second call with the same arguments gives the same pair."""
    again = pair_of(expect.call(student, TASK, *arguments), tuple(arguments[0].shape))
    return all(expect.same(one, other) for one, other in zip(pair, again, strict=True))


@points(4, value=True)
@each_seed(2)
def test_values(student: Student, seed: int) -> None:
    """Both points come from one x_0 and one epsilon, each at its own level."""
    draw = Draw(seed)
    for rows in (2, 3, 1000):
        compare(student, drawn(draw, rows))


@points(3, value=True)
@each_seed(2)
def test_batch_sizes_and_dimensions(student: Student, seed: int) -> None:
    """Any number of rows and of coordinates is legal."""
    draw = Draw(seed)
    with expect.only_here(lambda: compare(student, drawn(draw, 8)), expect.SIZES):
        # No training asks for the pair, so the sizes of the notebook's are tried here: 128 rows, and half as many.
        for rows, dimension in ((1, 2), (2, 2), (64, 2), (128, 2), (512, 2), (600, 2), (3, 3), (1, 1), (4, 7)):
            compare(student, drawn(draw, rows, dimension))


@points(2, value=True)
@each_seed(2)
def test_ends_and_repeats(student: Student, seed: int) -> None:
    """Levels at 0 and at 1 and levels that occur more than once are all legal."""
    draw = Draw(seed)
    t_n1, t_n = draw.neighbours(6)
    with expect.only_here(lambda: compare(student, drawn(draw, 8)), expect.TIMES):
        for upper, lower in ((torch.ones(4), torch.zeros(4)), (repeated(t_n1), repeated(t_n))):
            rows = len(upper)
            compare(student, (draw.normal(rows, 2), draw.normal(rows, 2), upper, lower))


@points(1)
@each_seed(1)
def test_arguments(student: Student, seed: int) -> None:
    """The arguments stay as they were."""
    arguments = drawn(Draw(seed), 5)
    reply = compare(student, arguments)
    if reply is None or changed_by_own_mixture(student, *arguments[:3]):
        return  # that cost its points in noisy_sample
    names = ("x_0", "epsilon", "t_n1", "t_n")
    expect.arguments_kept(reply, dict(enumerate(zip(names, arguments, strict=True))))
