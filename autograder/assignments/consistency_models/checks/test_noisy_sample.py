"""Hidden checks of noisy_sample: 10 points, 2 of them for what only the box can report."""

from __future__ import annotations

import torch
from torch import Tensor

from autograder.assignments.consistency_models.checks import oracles, sentences
from autograder.assignments.consistency_models.checks.strategies import LARGE, Draw, repeated
from autograder.assignments.consistency_models.misconceptions import KNOWN
from autograder.assignments.consistency_models.misconceptions.known import OWN_RANDOMNESS
from autograder.checking import Misconception, Reply, Student, close, expect, inputs, match, points

TASK = "noisy_sample"
ELSE = (
    "The result is not the mixture of x_0 and epsilon that the docstring asks for. "
    "Work out one row by hand for t = 0.25: how much of each should be in it?"
)


def compare(student: Student, x_0: Tensor, epsilon: Tensor, t: Tensor) -> Reply:
    """Call the answer and compare it with the closed form; raises CheckFailed, else returns the reply."""
    reply = expect.call(student, TASK, x_0, epsilon, t)
    got = expect.tensor(reply, tuple(x_0.shape), TASK)

    def recognise() -> Misconception | None:
        known = match(KNOWN[TASK], got, x_0=x_0, epsilon=epsilon, t=t)
        again = expect.call(student, TASK, x_0, epsilon, t).value
        steady = isinstance(again, Tensor) and expect.same(again, got)
        return known if known is not None or steady else OWN_RANDOMNESS

    close(got, oracles.mixture(x_0, epsilon, t), ELSE, recognise)
    return reply


def plain(student: Student, draw: Draw) -> None:
    """Compare in a usual case, with times well inside their range."""
    compare(student, draw.normal(8, 2), draw.normal(8, 2), draw.times(8, 0.2, 0.8))


@points(4, value=True)
@inputs.each_seed(2)
def test_values(student: Student, seed: int) -> None:
    """Each row is mixed at its own noise level."""
    draw = Draw(seed)
    # Two rows of two coordinates come first: there a missing axis broadcasts in silence and can be named.
    # Some come twice: nothing may be left of a call when the next one has as many rows.
    for rows in (2, 3, 7, 7, 1000, 1000):
        compare(student, draw.normal(rows, 2), draw.normal(rows, 2), draw.times(rows))
    with expect.only_here(lambda: plain(student, draw), sentences.RANGE):
        compare(student, LARGE * draw.normal(9, 2), LARGE * draw.normal(9, 2), draw.times(9))


@points(2, value=True)
@inputs.each_seed(1)
def test_batch_sizes(student: Student, seed: int) -> None:
    """Batches of one row, of two and of many are all legal."""
    draw = Draw(seed)
    with expect.only_here(lambda: plain(student, draw), sentences.SIZES):
        for rows in (1, 2, 5, 512, 600):
            compare(student, draw.normal(rows, 2), draw.normal(rows, 2), draw.times(rows))


@points(1, value=True)
@inputs.each_seed(1)
def test_dimensions(student: Student, seed: int) -> None:
    """The points may have another number of coordinates than two."""
    draw = Draw(seed)
    with expect.only_here(lambda: plain(student, draw), sentences.SIZES):
        for rows, dimension in ((3, 3), (3, 1), (1, 4), (4, 7)):
            compare(student, draw.normal(rows, dimension), draw.normal(rows, dimension), draw.times(rows))


@points(1, value=True)
@inputs.each_seed(1)
def test_ends_and_repeats(student: Student, seed: int) -> None:
    """Times at 0 and at 1 and times that occur more than once are all legal."""
    draw = Draw(seed)
    with expect.only_here(lambda: plain(student, draw), sentences.TIMES):
        for t in (torch.zeros(3), torch.ones(3), torch.tensor([0.0, 1.0, 1.0, 0.0]), repeated(draw.times(6))):
            compare(student, draw.normal(len(t), 2), draw.normal(len(t), 2), t)


@points(2)
@inputs.each_seed(1)
def test_arguments(student: Student, seed: int) -> None:
    """The arguments stay as they were."""
    draw = Draw(seed)
    given = [(draw.normal(rows, 2), draw.normal(rows, 2), draw.times(rows)) for rows in (5, 600)]
    for (x_0, epsilon, t), reply in expect.right_ones(lambda case: compare(student, *case), given):
        expect.arguments_kept(reply, {0: ("x_0", x_0), 1: ("epsilon", epsilon), 2: ("t", t)})
