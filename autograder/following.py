"""Follows the reference's run with a submission's functions, call by call, without training anything.

The four functions draw no randomness, so what agrees with the reference on the reference's own trace, up to rounding,
must by induction end where the reference ended. All questions are known in advance; they travel many to a message.

A slow answer stays in bounds: after FOLLOW_SECONDS of its own time the agreement so far counts as proof. A function
that is slow on purpose and goes wrong only later gains the points of sample_quality by it, and nothing else. What has
disagreed is never excused in this way.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from autograder.functions import AVERAGE, LOSS, NOISY, STEP, StudentFunctions, answer_of, in_training
from autograder.student import Call, Rows, Student
from autograder.training import Batches, Progress, Trace
from autograder.verdict import CheckFailed

# Differences of an answer from the reference's, relative to its largest entry. Up to SNAP it is rounding, and taken for
# the reference's own: `autograder calibrate` puts noise of this size into every answer and sets the limits of distance
# beyond what comes of it. Between the two a function is trained for real and judged by its distance. Beyond AGREEMENT
# it is wrong: the calibration holds that right answers are ten times nearer, recorded wrong ones ten times further.
SNAP = 1e-5
AGREEMENT = 1e-4
FOLLOW_SECONDS = 20.0
STEPS_A_MESSAGE = 8  # 2 MB each way; larger buffers cost more in fresh pages than they save in messages
SLOW_SECONDS = 0.1  # a step that takes longer travels alone, so that a message stays within the limit of a call


@dataclass(frozen=True)
class Followed:
    """How far a submission went with the reference: to the end, or to where `function` differed by `difference`."""

    run: Progress
    function: str = ""
    difference: float = 0.0


@dataclass(frozen=True)
class Question:
    """A call of one of the submission's own functions in each of several steps, and what the reference answered."""

    call: Call
    answers: Tensor


@dataclass(frozen=True)
class Parted:
    """Where an answer is another than the reference's: how many steps on, whose it is, and by how much."""

    steps: int
    function: str
    difference: float


def follow(functions: StudentFunctions, batches: Batches, trace: Trace, run: Progress) -> Followed:
    """Ask the submission's own functions what the reference was asked, from where `run` stands, and compare.

    Returns where the two part, or the reference's end. Raises CheckFailed when a function fails.
    """
    size = 1
    began = left = functions.student.seconds_left()
    while run.step < run.recipe.steps and began - left < min(FOLLOW_SECONDS, began / 2):
        ahead, count = run.copy(), min(size, run.recipe.steps - run.step)
        questions = _questions(functions, batches, (trace, ahead), count)
        parted = _first_disagreement(functions.student, questions, count)
        if parted is not None:
            for _ in range(parted.steps):
                _walk(run, trace)
            return Followed(run, parted.function, parted.difference)
        before, left = left, functions.student.seconds_left()
        size = 1 if before - left > SLOW_SECONDS * count else min(2 * size, STEPS_A_MESSAGE)
        run = ahead
    end = Progress(run.recipe, trace.online)
    end.step = run.recipe.steps
    return Followed(end)


def difference(value: Tensor, reference: Tensor) -> float:
    """Return the largest difference of two answers, relative to the reference's largest entry."""
    return float((value - reference).abs().max() / reference.abs().max())


def _questions(
    functions: StudentFunctions, batches: Batches, reference: tuple[Trace, Progress], count: int
) -> list[Question]:
    """Return what the next steps ask of the submission's own functions, and take the reference's run through them."""
    trace, run = reference
    asking, steps = functions.asking, slice(run.step, run.step + count)
    x_0, epsilon, t_n1, t_n, x_tn1, x_hat_tn = (
        Rows(each[steps])
        for each in (batches.x_0, batches.epsilon, batches.t_n1, batches.t_n, trace.x_tn1, trace.x_hat_tn)
    )
    online, target = [run.online], [run.target]
    for _ in range(count):
        _walk(run, trace)
        online.append(run.online)
        target.append(run.target)
    before, networks = Rows(torch.stack(target[:-1])), torch.stack(online)
    questions = {
        NOISY: Question(asking.noisy_sample(x_0, epsilon, t_n1), x_tn1.stack),
        STEP: Question(asking.teacher_ode_step(x_tn1, t_n1, t_n), x_hat_tn.stack),
        LOSS: Question(asking.gradient(Rows(networks), before, (x_tn1, t_n1, x_hat_tn, t_n)), trace.gradient[steps]),
        AVERAGE: Question(asking.ema_update(Rows(networks, 1), before, run.recipe.decay), torch.stack(target[1:])),
    }
    return [question for name, question in questions.items() if name in functions.own]


def _walk(run: Progress, trace: Trace) -> None:
    """Take the reference's own step."""
    run.descend(trace.gradient[run.step])
    run.end_step(run.averaged())


def _first_disagreement(student: Student, questions: list[Question], count: int) -> Parted | None:
    """Return where the answers first differ by more than rounding; raises CheckFailed for what is no answer."""
    try:
        found = student.rounds([question.call for question in questions], count)
    except CheckFailed as failure:
        raise in_training(failure) from None
    if all(_agree(answers, question.answers) for answers, question in zip(found, questions, strict=True)):
        return None
    for step in range(count):
        for answers, question in zip(found, questions, strict=True):
            reference = question.answers[step]
            apart = difference(answer_of(question.call, answers[step], reference), reference)
            # NaN fails every comparison, so this form rejects it.
            if not apart <= SNAP:
                return Parted(step, question.call.function, apart)
    return None


def _agree(answers: object, reference: Tensor) -> bool:
    """Say whether all answers of a call are the reference's up to rounding; one by one they would take longer."""
    if not isinstance(answers, Tensor) or answers.shape != reference.shape or answers.dtype != reference.dtype:
        return False
    apart, largest = (value.flatten(1).abs().amax(1) for value in (answers - reference, reference))
    # NaN and infinity fail this comparison, so this form rejects them.
    return bool((apart / largest <= SNAP).all())
