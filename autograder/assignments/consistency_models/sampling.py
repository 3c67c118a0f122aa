"""A sampler's run as the judge saw it, and what can be said about the noise in it.

The model is a probe: the judge gives its answers, so x = (1 - s) h + s z has one unknown, the noise z. It is recovered
in double precision; float32 put an error of about 1e-7 (|x| + |h|) / s into it, far below what the tests resolve.

Every test of noise below wrongly rejects a right sampler with a small probability, by an exact tail or a proven bound,
whatever the generator. For one submission these add up, over all checks, to:

- has_shape, for the eleven noises of large runs, twice each, and two pools, 24 times FALSE_ALARM: 2.4e-8;
- has_size, for those, for twenty runs and the pools, 260 times FALSE_ALARM: 2.6e-7;
- is_unrelated and have_a_part_in_common, for those noises and what they may hang on, 120 times 2e-9: 2.4e-7;
- is_reused, forty times 3e-9: 1.2e-7;
- is_centred, for two coordinates of two pools, 2e-9 each: 8e-9;
- is_scattered and varies, once each: 5e-10.

Together 6.6e-7, so at most one in a million.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from autograder.assignments.consistency_models.checks.strategies import SIGMA_MIN, Draw
from autograder.checking.student import Probe, Question, Reply, Student
from autograder.verdict import CheckFailed, Status, contract

FALSE_ALARM = 1e-9
# The judge's answers are large beside noise and lie around another point than 0, so that a wrong weight on them shows.
ANSWER_SPREAD, ANSWER_CENTRE = 30.0, 20.0
SPARE_QUESTIONS = 100  # a sampler that asks more than this beyond n_steps is told that it asks too often
SMALLEST_TAIL, LARGEST_TAIL = 3.01, 8.0  # of the largest of 2 MANY numbers
FEW_DIGITS = 0.9  # the share of numbers that float16 holds exactly; of float32's own draws it is one in thousands
LARGEST, ALIKE, FAR_OUT = 10, 2e-4, 2.5  # of is_reused
MANY = 5000  # rows, two numbers each: enough to tell uniform noise of the same variance from Gaussian noise


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
class Run:
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
) -> Run:
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
    return Run(n_samples, n_steps, sigma_min, sigma_max, list(probe.questions), oracle.answers, reply)


def recovered(before: Jump, jump: Jump) -> Tensor:
    """Return the noise of a later point if it was mixed rightly."""
    return (jump.x - (1 - jump.level) * before.answer) / jump.level


def is_gaussian(noise: Tensor) -> bool:
    """Say whether the numbers, some ten thousand, may be independent standard normal ones.

    Distribution: has_shape. Variance, of each coordinate too: has_size. Tails: the largest of 10,000 sizes is below
    3.01 with a probability of 5e-12, above 8 with one of 1e-11.
    """
    return (
        SMALLEST_TAIL <= float(noise.abs().max()) <= LARGEST_TAIL
        and has_shape(noise)
        and all(has_size(numbers) for numbers in (noise, *noise.unbind(-1)))
    )


def has_shape(noise: Tensor) -> bool:
    """Say whether the distribution may be standard normal: Dvoretzky-Kiefer-Wolfowitz with Massart's constant."""
    z = torch.from_numpy(np.sort(noise.reshape(-1).numpy()))  # torch's own sort takes ten times as long
    n = len(z)
    upper = torch.arange(1, n + 1, dtype=z.dtype) / n
    cdf = torch.special.ndtr(z)
    gap = torch.maximum(upper - cdf, cdf - upper + 1 / n).max()
    return bool(gap <= math.sqrt(math.log(2 / FALSE_ALARM) / (2 * n)))


def has_size(numbers: Tensor, lost: int = 0) -> bool:
    """Say whether the sum of squares may be that of independent standard normal numbers, however few there are.

    The sum is chi-squared with one degree of freedom for each number, less those `lost` with means that were
    subtracted. Both tails are exact.
    """
    half = torch.tensor((numbers.numel() - lost) / 2, dtype=torch.float64)
    squares = numbers.square().sum() / 2
    tails = torch.special.gammainc(half, squares), torch.special.gammaincc(half, squares)
    return all(bool(tail >= FALSE_ALARM / 2) for tail in tails)


def are_fresh(noises: list[Tensor]) -> bool:
    """Say whether the noises of one run, each (n, 2), may be independent, for any n.

    That is a question of sizes: of the numbers, of what is left without the mean of all rows or of all jumps, and of
    the sum and the difference of the coordinates. It finds what is zero, scaled or shared.
    """
    z = torch.stack(noises)
    jumps, rows, _ = z.shape
    return (
        has_size(z)
        and has_size((z[:, :, 0] + z[:, :, 1]) / math.sqrt(2))
        and has_size((z[:, :, 0] - z[:, :, 1]) / math.sqrt(2))
        and (rows == 1 or has_size(z - z.mean(1, keepdim=True), lost=2 * jumps))
        and (jumps == 1 or has_size(z - z.mean(0), lost=2 * rows))
    )


def is_standard(pool: Tensor) -> bool:
    """Say whether noises of many runs together, (n, 2), are standard normal, more finely than in each alone."""
    return (
        is_centred(pool)
        and has_size(pool[:, 0])
        and has_size(pool[:, 1])
        and is_unrelated(pool[:, 0], pool[:, 1])
        and has_shape(pool)
    )


def is_centred(noise: Tensor) -> bool:
    """Say whether each coordinate may have the mean 0: a sum of n is normal, and beyond 6 deviations in 2e-9."""
    return bool((noise.sum(0).abs() <= 6 * math.sqrt(len(noise))).all())


def is_scattered(noises: list[Tensor]) -> bool:
    """Say whether the sums of at least three fresh noises scatter around zero; those of centred noise all are zero.

    A sum in units of its deviation is standard normal, and below 1e-3 with a probability of 8e-4: three in 5e-10.
    """
    return any(float(noise.sum().abs()) > 1e-3 * math.sqrt(noise.numel()) for noise in noises)


def varies(noises: list[Tensor]) -> bool:
    """Say whether the spreads of at least six fresh noises, (n, 2) with n in the thousands, scatter around 1.

    Noise that was divided by its own spread, however that is computed, has the spread 1 each time. A variance of m
    numbers in units of its deviation, (2 / m)^(1/2), is nearly standard normal, with a density below 0.41: it lies
    within 2e-2 of 0 with a probability below 0.017. Six of one kind do in 3e-11.
    """
    spreads = [[noise.var(), *noise.var(0)] for noise in noises]
    sizes = (noises[0].numel(), len(noises[0]), len(noises[0]))
    off = (torch.tensor(spreads, dtype=torch.float64) - 1).abs() * (torch.tensor(sizes) / 2).sqrt()
    return not bool((off <= 2e-2).all(dim=0).any())


def is_unrelated(noise: Tensor, other: Tensor) -> bool:
    """Say whether fresh standard normal noise may be independent of `other`, of the same shape.

    Given `other`, the sum of products is normal with the variance |other|^2, exactly; 6 deviations happen in 2e-9.
    Without its mean, so that a mean of the noise, which others look for, is no relation.
    """
    other = other - other.mean(0)
    product = float((noise * other).sum())
    return abs(product) <= 6 * float(other.square().sum().sqrt())


def have_a_part_in_common(noise: Tensor, other: Tensor) -> bool:
    """Say whether two noises of one shape are related, whatever their scale, and whatever is mixed into them.

    Without its mean, fresh Gaussian noise points in a random direction: 6 deviations of its cosine happen in 2e-9.
    """
    noise, other = noise - noise.mean(0), other - other.mean(0)
    cosine = (noise * other).sum() / (noise.square().sum() * other.square().sum()).sqrt()
    return bool(cosine.abs() * math.sqrt(noise.numel() - 2) > 6)


def distinct(noises: list[Tensor]) -> list[Tensor]:
    """Return the noises without those that begin with the numbers of a longer one; fresh ones never do."""
    return list({tuple(noise[0].tolist()): noise for noise in sorted(noises, key=len)}.values())


def is_reused(noise: Tensor, other: Tensor) -> bool:
    """Say whether a noise is made of the numbers of another one, of the same shape, in any order and with any signs.

    Then their largest sizes are alike, up to the error of recovering them. Given `other`, a size of n = 10,000 numbers
    lies within 2e-4 of one above 2.5 with an expected number of at most 2 n 2e-4 0.8 exp(-2.5^2 / 2) = 0.14, so ten
    places are matched in order with a probability below 0.14^10 = 3e-9.
    """
    one, two = (z.abs().reshape(-1).topk(LARGEST).values for z in (noise, other))  # largest first
    return bool(two[-1] > FAR_OUT) and bool(((one - two).abs() <= ALIKE).all())


def has_few_digits(points: Tensor) -> bool:
    """Say whether nearly all numbers are ones that float16 holds exactly, so that they were rounded on the way.

    Of float32's 24 digits 13 would have to be zero by chance: for each number one in 8,000.
    """
    return bool((points.half() == points).double().mean() > FEW_DIGITS)


def rows_differ(noise: Tensor) -> bool:
    """Say whether rows and coordinates have noise of their own; noise is (n, 2), n in the thousands."""
    return coordinates_differ(noise) and neighbours_differ(noise) and not has_twins(noise)


def neighbours_differ(noise: Tensor) -> bool:
    """Say whether each row may be independent of the next one, and the first half of the rows of the second half."""
    rows, half = len(noise) // 2 * 2, len(noise) // 2
    return (
        is_unrelated(noise[1:rows:2], noise[0:rows:2])
        and is_unrelated(noise[2:rows:2], noise[1 : rows - 1 : 2])
        and is_unrelated(noise[half:rows], noise[:half])
    )


def coordinates_differ(noise: Tensor) -> bool:
    """Say whether the two coordinates are uncorrelated and, turned by 45 degrees, normal as independent ones are."""
    turned = torch.stack([noise[:, 0] + noise[:, 1], noise[:, 0] - noise[:, 1]], dim=1) / math.sqrt(2)
    return is_unrelated(noise[:, 0], noise[:, 1]) and is_gaussian(turned)


def has_twins(noise: Tensor) -> bool:
    """Say whether rows share their noise.

    Signs apart, for mirrored noise is no draw of its own either, rows are sorted by their first coordinate; of
    neighbours, fewer than a tenth may agree in both coordinates to 1e-4. The expected number for independent rows is
    below n^2 1e-8, so n / 10 of them are out of the question.
    """
    ordered = noise.abs()[noise[:, 0].abs().argsort()]
    twins = ((ordered[1:] - ordered[:-1]).abs() < 1e-4).all(dim=1).sum()
    return bool(twins >= len(noise) / 10)
