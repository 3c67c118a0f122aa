"""Follows the reference's run with a submission's functions, call by call, without training anything.

The four functions draw no randomness, so what agrees with the reference on the reference's own trace, up to rounding,
must by induction end where the reference ended. All questions are known in advance; they travel many to a message.

Every step of the trace is asked about, in turn, and every sixth with its networks. In the others affine maps are in
their place (affine_steps.py): there a function shows whether it still answers right, on the batch of that step, and
the networks between are much like those of the steps beside it.

A slow answer stays in bounds: after FOLLOW_SECONDS of its own time the agreement so far counts as proof. A function
that is slow on purpose and goes wrong only later gains the points of sample_quality by it, and nothing else. What has
disagreed is never excused in this way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from autograder.assignments.consistency_models.training.affine_steps import AffineSteps
from autograder.assignments.consistency_models.training.functions import (
    AVERAGE,
    LOSS,
    NOISY,
    STEP,
    Asking,
    StudentFunctions,
    answer_of,
    in_training,
)
from autograder.assignments.consistency_models.training.recipe import Batches, Progress, Trace
from autograder.checking.student import Call, Rows, Student
from autograder.verdict import CheckFailed

# Differences of an answer from the reference's, relative to its largest entry. Up to SNAP it is rounding, and taken for
# the reference's own: `autograder calibrate` puts noise of this size into every answer and sets the limits of distance
# beyond what comes of it. Between the two a function is trained for real and judged by its distance. Beyond AGREEMENT
# it is wrong: the calibration holds that right answers are ten times nearer, recorded wrong ones ten times further.
SNAP = 1e-5
AGREEMENT = 1e-4
FOLLOW_SECONDS = 20.0
STEPS_A_MESSAGE = 8  # 2 MB each way; larger buffers cost more in fresh pages than they save in messages
AFFINE_STEPS_A_MESSAGE = 40  # five of them for each step with networks
SLOW_SECONDS = 0.1  # a step that takes longer travels alone, so that a message stays within the limit of a call


@dataclass(frozen=True)
class Followed:
    """How far a submission went with the reference: to the end, or to where `function` differed by `difference`."""

    run: Progress
    function: str = ""
    difference: float = 0.0


@dataclass(frozen=True)
class Comparison:
    """A call of one of the submission's own functions in each of several steps, and what the reference answered."""

    call: Call
    answers: Tensor


@dataclass(frozen=True)
class Stretch:
    """Consecutive steps: batches, networks and the reference's answers.

    The loss compares `online` and `target`; ema_update is given `moved` and `before`, and makes `averaged` of them.
    """

    batches: Batches
    x_tn1: Tensor
    x_hat_tn: Tensor
    online: Rows
    target: Rows
    gradient: Tensor
    moved: Rows
    before: Rows
    averaged: Tensor


@dataclass(frozen=True)
class Parted:
    """Where an answer is another than the reference's: how many steps on, whose it is, and by how much."""

    steps: int
    function: str
    difference: float


class Pace:
    """How many steps a message holds, in turns with networks and with affine maps: more and more, one of a slow one."""

    def __init__(self) -> None:
        self.with_networks = True
        self._size = 1

    def count(self, left: int) -> int:
        """Return how many of the steps that are left the next message holds."""
        return min(self._size, STEPS_A_MESSAGE if self.with_networks else AFFINE_STEPS_A_MESSAGE, left)

    def turn(self, slow: bool = False) -> None:
        """Go on to the next message; `slow`: a step of the last one took long."""
        self._size = 1 if slow else min(2 * self._size, AFFINE_STEPS_A_MESSAGE)
        self.with_networks = not self.with_networks


class Trajectory:
    """The reference's run, which submissions are led along: with the networks of its trace, or with affine maps.

    What is asked at the usual pace is made once: the reference's steps would be a thirtieth of each marking. `trace`
    returns the trace whenever it is wanted: the gradients of all of its steps are much to keep, and seldom asked for.
    """

    def __init__(self, start: Progress, batches: Batches, trace: Callable[[], Trace], affine: AffineSteps) -> None:
        self.affine = affine
        self.recipe = start.recipe
        self._start = start
        self._batches = batches
        self._trace = trace
        self._kept = dict(self._usual())
        self._x_tn1 = trace().x_tn1
        self._end = Progress(self.recipe, trace().online)
        self._end.step = self.recipe.steps

    def at(self, step: int) -> Progress:
        """Return the reference's run, before a step."""
        if step == self.recipe.steps:
            return self._end.copy()
        run = self._start.copy()
        self._walk(run, step)
        return run

    def stretch(self, step: int, count: int, with_networks: bool) -> Stretch:
        """Return some of the steps."""
        if not with_networks:
            return self._with_affine_maps(step, count)
        return self._kept.get((step, count)) or self._with_networks(self.at(step), count)

    def _usual(self) -> Iterator[tuple[tuple[int, int], Stretch]]:
        """Walk through the run and yield all stretches with networks of the usual pace."""
        pace, run = Pace(), self._start.copy()
        while left := self.recipe.steps - run.step:
            step, count = run.step, pace.count(left)
            if pace.with_networks:
                yield (step, count), self._with_networks(run, count)
            else:
                self._walk(run, count)
            pace.turn()

    def _walk(self, run: Progress, count: int) -> None:
        for _ in range(count):
            run.descend(self._trace().gradient[run.step])
            run.end_step(run.averaged())

    def _with_networks(self, run: Progress, count: int) -> Stretch:
        """Return the run's next steps, and take it through them."""
        steps = slice(run.step, run.step + count)
        passed = [run.online], [run.target]
        for _ in range(count):
            self._walk(run, 1)
            passed[0].append(run.online)
            passed[1].append(run.target)
        online, target = map(torch.stack, passed)
        return Stretch(
            self._batches.rows(steps),
            self._trace().x_tn1[steps],
            self._trace().x_hat_tn[steps],
            Rows(online),
            Rows(target),
            self._trace().gradient[steps].clone(),
            Rows(online, 1),
            Rows(target),
            target[1:],
        )

    def _with_affine_maps(self, step: int, count: int) -> Stretch:
        steps, after = slice(step, step + count), slice(step + 1, step + count + 1)
        return Stretch(
            self._batches.rows(steps),
            self._x_tn1[steps],
            self.affine.x_hat_tn[steps],
            Rows(self.affine.online[steps]),
            Rows(self.affine.target[steps]),
            self.affine.gradient[steps],
            Rows(self.affine.moved[after]),
            Rows(self.affine.averaged[steps]),
            self.affine.averaged[after],
        )


def follow(functions: StudentFunctions, path: Trajectory) -> Followed:
    """Ask the submission's own functions what the reference was asked, and compare.

    Returns where the two part, or the reference's end. Raises CheckFailed when a function fails.
    """
    student, recipe, pace, step = functions.student, path.recipe, Pace(), 0
    with_networks, with_affine_maps = functions.asking, functions.asking.about(path.affine.networks)
    began = left = student.seconds_left()
    while step < recipe.steps and began - left < min(FOLLOW_SECONDS, began / 2):
        count = pace.count(recipe.steps - step)
        asking = with_networks if pace.with_networks else with_affine_maps
        stretch = path.stretch(step, count, pace.with_networks)
        parted = _first_disagreement(student, _comparisons(asking, functions.own, stretch, recipe.decay), count)
        if parted is not None:
            return Followed(path.at(step + parted.steps), parted.function, parted.difference)
        before, left = left, student.seconds_left()
        pace.turn(slow=before - left > SLOW_SECONDS * count)
        step += count
    return Followed(path.at(recipe.steps))


def difference(value: Tensor, reference: Tensor) -> float:
    """Return the largest difference of two answers, relative to the reference's largest entry."""
    return float((value - reference).abs().max() / reference.abs().max())


def _comparisons(asking: Asking, own: frozenset[str], steps: Stretch, decay: float) -> list[Comparison]:
    """Return what these steps ask of the submission's own functions."""
    given = steps.batches
    x_0, epsilon, t_n1, t_n, x_tn1, x_hat_tn = map(
        Rows, (given.x_0, given.epsilon, given.t_n1, given.t_n, steps.x_tn1, steps.x_hat_tn)
    )
    comparisons = {
        NOISY: Comparison(asking.noisy_sample(x_0, epsilon, t_n1), steps.x_tn1),
        STEP: Comparison(asking.teacher_ode_step(x_tn1, t_n1, t_n), steps.x_hat_tn),
        LOSS: Comparison(asking.gradient(steps.online, steps.target, (x_tn1, t_n1, x_hat_tn, t_n)), steps.gradient),
        AVERAGE: Comparison(asking.ema_update(steps.moved, steps.before, decay), steps.averaged),
    }
    return [comparison for name, comparison in comparisons.items() if name in own]


def _first_disagreement(student: Student, comparisons: list[Comparison], count: int) -> Parted | None:
    """Return where the answers first differ by more than rounding; raises CheckFailed for what is no answer."""
    try:
        found = student.rounds([comparison.call for comparison in comparisons], count)
    except CheckFailed as failure:
        raise in_training(failure) from None
    if all(_agree(answers, comparison.answers) for answers, comparison in zip(found, comparisons, strict=True)):
        return None
    for step in range(count):
        for answers, comparison in zip(found, comparisons, strict=True):
            reference = comparison.answers[step]
            apart = difference(answer_of(comparison.call, answers[step], reference), reference)
            # NaN fails every comparison, so this form rejects it.
            if not apart <= SNAP:
                return Parted(step, comparison.call.function, apart)
    return None


def _agree(answers: object, reference: Tensor) -> bool:
    """Say whether all answers of a call are the reference's up to rounding; one by one they would take longer."""
    if not isinstance(answers, Tensor) or answers.shape != reference.shape or answers.dtype != reference.dtype:
        return False
    apart, largest = (value.flatten(1).abs().amax(1) for value in (answers - reference, reference))
    # NaN and infinity fail this comparison, so this form rejects them.
    return bool((apart / largest <= SNAP).all())
