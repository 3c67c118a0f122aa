"""A sampler's run as the judge saw it.

The model is a probe: the judge gives its answers, so x = (1 - s) h + s z has one unknown, the noise z. It is recovered
in double precision; float32 put an error of about 1e-7 (|x| + |h|) / s into it, far below what the tests resolve.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from autograder.assignments.consistency_models.checks.strategies import SIGMA_MIN, Draw
from autograder.checking import CheckFailed, Probe, Question, Reply, Status, Student, contract

# The judge's answers are large beside noise and lie around another point than 0, so that a wrong weight on them shows.
ANSWER_SPREAD, ANSWER_CENTRE = 30.0, 20.0
SPARE_QUESTIONS = 100  # a sampler that asks more than this beyond n_steps is told that it asks too often


@dataclass(frozen=True)
class Jump:
    """One question to the model and the judge's answer, float64: x and answer (n, 2), t (n,)."""

    x: Tensor
    t: Tensor
    answer: Tensor

    @property
    def level(self) -> float:
        """The noise level of the first row."""
        return float(self.t[0])


@dataclass(frozen=True)
class Sampled:
    """What a sampler was asked for, what it asked, and what it returned."""

    n_samples: int
    n_steps: int
    sigma_min: float
    sigma_max: float
    questions: list[Question]
    answers: list[Tensor]
    reply: Reply

    @property
    def levels(self) -> Tensor:
        """The right levels, (n_steps,), float64."""
        return torch.linspace(self.sigma_max, self.sigma_min, self.n_steps + 1, dtype=torch.float64)[:-1]

    @cached_property
    def jumps(self) -> list[Jump]:
        """The questions in a form that can be computed with; those in another form are left out."""
        return [
            Jump(question.x.double(), question.t.double().reshape(-1), answer.double())
            for question, answer in zip(self.questions, self.answers, strict=False)
            if well_formed(question, self.n_samples)
        ]

    @property
    def returned(self) -> Tensor | None:
        """The result, float64, or None where it is no tensor of the right shape."""
        value = self.reply.value
        right = isinstance(value, Tensor) and value.shape == (self.n_samples, 2)
        return value.double() if right else None


@dataclass
class Oracle:
    """Answers a sampler's questions with large random points, as no network would, and keeps the answers."""

    draw: Draw
    limit: int
    answers: list[Tensor] = field(default_factory=list)

    def __call__(self, x: Tensor, t: Tensor) -> Tensor:
        """Return the answer to a question about points x, (n, D); raises ValueError after too many questions."""
        if len(self.answers) >= self.limit:
            raise ValueError("the sampler asks without end")
        self.answers.append(ANSWER_CENTRE + ANSWER_SPREAD * self.draw.normal(*x.shape))
        return self.answers[-1]


def well_formed(question: Question, n_samples: int) -> bool:
    """Say whether a network of the notebook could answer the question."""
    return question_fault(question, n_samples) is None


def question_fault(question: Question, n_samples: int) -> str | None:
    """Return what is wrong with the form of a question, in a sentence, or None."""
    x, t = question.x, question.t
    if not isinstance(x, Tensor) or x.shape != (n_samples, 2):
        return f"The model should be asked about points of shape ({n_samples}, 2), got {form(x)}."
    if not isinstance(t, Tensor) or t.shape not in ((n_samples,), (n_samples, 1)):
        return (
            f"The model should be asked with one time for each point, a tensor of shape ({n_samples},) or "
            f"({n_samples}, 1), got {form(t)}."
        )
    for name, value in (("points", x), ("times", t)):
        if value.dtype != torch.float32:
            return f"The model's weights are float32, but it is asked with {name} given as {form(value)}."
        if not bool(torch.isfinite(value).all()):
            return f"The model is asked with {name} that hold NaN or infinity."
    return None


def form(value: object) -> str:
    """Return the shape and dtype of a tensor, or the type of anything else, in words."""
    if isinstance(value, Tensor):
        return f"shape {tuple(value.shape)} of {str(value.dtype).removeprefix('torch.')}"
    return f"an object of type {type(value).__name__}"


def run_sampler(
    student: Student, draw: Draw, n_samples: int, n_steps: int, sigmas: tuple[float, float] | None = None
) -> Sampled:
    """Call the student's sampler with a probe; `sigmas` is (sigma_min, sigma_max), or None for the defaults.

    Raises CheckFailed when the call fails, in plain words when the reason is a question that no network answers.
    """
    oracle = Oracle(draw, n_steps + SPARE_QUESTIONS)
    probe = Probe(oracle)
    sigma_min, sigma_max = sigmas or (SIGMA_MIN, 1.0)
    try:
        reply = student.call(
            "sample_consistency_multistep", probe, n_samples, n_steps, *(sigmas or ()), generators=True
        )
    except CheckFailed as failure:
        faults = [question_fault(question, n_samples) for question in probe.questions]
        if failure.status is Status.RUNTIME and faults and faults[-1] is not None:
            raise contract(faults[-1]) from None
        raise
    return Sampled(n_samples, n_steps, sigma_min, sigma_max, list(probe.questions), oracle.answers, reply)


def recovered(before: Jump, jump: Jump) -> Tensor:
    """Return the noise of a later point if it was mixed rightly."""
    return (jump.x - (1 - jump.level) * before.answer) / jump.level
