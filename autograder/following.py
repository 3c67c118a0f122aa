"""Follows the reference's run with a submission's functions, call by call, without training anything.

The four functions draw no randomness, so what agrees with the reference on the reference's own trace, up to rounding,
must by induction end where the reference ended. All questions are known in advance; they travel many to a message.

A slow answer stays in bounds: after FOLLOW_SECONDS of its own time the agreement so far counts as proof. A function
that is slow on purpose and goes wrong only later gains the points of sample_quality by it, and nothing else. What has
disagreed is never excused in this way.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from autograder.functions import AVERAGE, LOSS, NOISY, STEP, StudentFunctions, answer_of, in_training
from autograder.student import Call, Student
from autograder.training import Batches, Points, Progress, Trace
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
    """A call of one of the submission's own functions, and what the reference answered there."""

    step: int
    call: Call
    answer: Tensor


def follow(functions: StudentFunctions, batches: Batches, trace: Trace, run: Progress) -> Followed:
    """Ask the submission's own functions what the reference was asked, from where `run` stands, and compare.

    Returns where the two part, or the reference's end. Raises CheckFailed when a function fails.
    """
    size = 1
    began = left = functions.student.seconds_left()
    while run.step < run.recipe.steps and began - left < min(FOLLOW_SECONDS, began / 2):
        ahead, questions = run.copy(), []
        for _ in range(min(size, run.recipe.steps - run.step)):
            questions += _questions(functions, batches, trace, ahead)
        parted, apart = _first_disagreement(functions.student, questions)
        if parted is not None:
            while run.step < parted.step:
                _walk(run, trace)
            return Followed(run, parted.call.function, apart)
        before, left = left, functions.student.seconds_left()
        size = 1 if before - left > SLOW_SECONDS * (ahead.step - run.step) else min(2 * size, STEPS_A_MESSAGE)
        run = ahead
    end = Progress(run.recipe, trace.online)
    end.step = run.recipe.steps
    return Followed(end)


def difference(value: Tensor, reference: Tensor) -> float:
    """Return the largest difference of two answers, relative to the reference's largest entry."""
    return float((value - reference).abs().max() / reference.abs().max())


def _questions(functions: StudentFunctions, batches: Batches, trace: Trace, run: Progress) -> list[Question]:
    """Return what one step asks of the submission's own functions, and take the step."""
    step, asking = run.step, functions.asking
    t_n1, t_n, x_tn1, x_hat_tn = batches.t_n1[step], batches.t_n[step], trace.x_tn1[step], trace.x_hat_tn[step]
    points = Points(x_tn1, t_n1, x_hat_tn, t_n)
    online, target = run.online, run.target
    _walk(run, trace)
    questions = {
        NOISY: Question(step, asking.noisy_sample(batches.x_0[step], batches.epsilon[step], t_n1), x_tn1),
        STEP: Question(step, asking.teacher_ode_step(x_tn1, t_n1, t_n), x_hat_tn),
        LOSS: Question(step, asking.gradient(online, target, points), trace.gradient[step]),
        AVERAGE: Question(step, asking.ema_update(run.online, target, run.recipe.decay), run.target),
    }
    return [question for name, question in questions.items() if name in functions.own]


def _walk(run: Progress, trace: Trace) -> None:
    """Take the reference's own step."""
    run.descend(trace.gradient[run.step])
    run.end_step(run.averaged())


def _first_disagreement(student: Student, questions: list[Question]) -> tuple[Question | None, float]:
    try:
        replies = student.calls([question.call for question in questions])
    except CheckFailed as failure:
        raise in_training(failure) from None
    for question, reply in zip(questions, replies, strict=True):
        apart = difference(answer_of(question.call, reply, question.answer), question.answer)
        # NaN fails every comparison, so this form rejects it.
        if not apart <= SNAP:
            return question, apart
    return None, 0.0
