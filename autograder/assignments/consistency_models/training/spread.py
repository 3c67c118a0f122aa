"""How far right and wrong answers spread the sample quality: the measurements behind `autograder calibrate`.

For each seed there is a teacher of its own, trained by the notebook's own recipe, and a short run with other data,
noise and start weights. Every subject makes that run for real. Right are noise put into every answer of the four
functions, and all recorded right answers, one of each task to a run. Wrong are the recorded answers that nothing but
the sample quality sees. Some that fail by themselves are shown for comparison; no limit depends on them.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import torch
from torch import Tensor

from autograder.assignment import Assignment
from autograder.assignments.consistency_models.prepare import PreparedTraining, run_cells
from autograder.assignments.consistency_models.training.calibration import Calibration, Limits
from autograder.assignments.consistency_models.training.following import SNAP, difference
from autograder.assignments.consistency_models.training.functions import FUNCTIONS, LOSS, notebook_functions
from autograder.assignments.consistency_models.training.recipe import Functions, Points, Progress, Recipe, Trace, train
from autograder.box.cells import Cells
from autograder.grading.recorded_answers import Record

ROUNDS = 4  # a recorded right answer has every fourth seed; what is there for comparison, the first four
NOISES, POINTS = 1000, 8192  # noises that endpoints are compared from; data points of a short run
COMPARED = {
    ("ema_update", "hard_copy"),
    ("ema_update", "nothing_done"),
    (LOSS, "online_as_target"),
    (LOSS, "upper_time_for_both"),
}
BOTH_SIDES = f"""
def {LOSS}(online, target, x_tn1, t_n1, x_hat_tn, t_n):
    return F.mse_loss(online(x_tn1, t_n1), online(x_hat_tn, t_n))
"""


@dataclass(frozen=True)
class Subject:
    """What makes a run: cells over the reference's, or the reference with noise; kind is right, wrong or compared."""

    name: str
    kind: str
    cells: tuple[str, ...] = ()
    noise: float = 0.0


@dataclass(frozen=True)
class Measured:
    """One run: distances as multiples of the reference's own, and how far its answers are from the reference's."""

    subject: str
    kind: str
    seed: int
    mean: float
    tail: float
    sliced: float  # the sliced W2 to data, for comparison
    deviation: float | None  # of an answer on the reference's trace, over its largest entry; None: not measured
    noise: float = 0.0  # of the subject


class Noisy:
    """Functions whose every answer is off by up to `size`, relative to its largest entry."""

    def __init__(self, inner: Functions, size: float, seed: int) -> None:
        self._inner = inner
        self._size = size
        self._generator = torch.Generator().manual_seed(seed)

    def noisy_sample(self, x_0: Tensor, epsilon: Tensor, t: Tensor) -> Tensor:
        """Return x_tn1, (B, 2)."""
        return self._off(self._inner.noisy_sample(x_0, epsilon, t))

    def teacher_ode_step(self, x_tn1: Tensor, t_n1: Tensor, t_n: Tensor) -> Tensor:
        """Return x_hat_tn, (B, 2)."""
        return self._off(self._inner.teacher_ode_step(x_tn1, t_n1, t_n))

    def gradient(self, online: Tensor, target: Tensor, points: Points) -> Tensor:
        """Return the loss's gradient by online."""
        return self._off(self._inner.gradient(online, target, points))

    def ema_update(self, online: Tensor, target: Tensor, decay: float) -> Tensor:
        """Return the new target."""
        return self._off(self._inner.ema_update(online, target, decay))

    def _off(self, value: Tensor) -> Tensor:
        noise = 2 * torch.rand(value.shape, generator=self._generator) - 1
        return value + self._size * value.abs().max() * noise


def subjects(records: list[Record]) -> list[Subject]:
    """Return all that is measured."""
    four = [record for record in records if record.task in FUNCTIONS]
    right = [[record for record in four if record.task == task and record.kind == "right"] for task in FUNCTIONS]
    rows = [[record for record in row if record is not None] for row in zip_longest(*right)]
    return [
        Subject("rounding", "right", noise=SNAP),
        *(Subject(" + ".join(r.name for r in row), "right", _cells(*row)) for row in rows),
        *(Subject(f"{r.task}: {r.name}", "wrong", _cells(r)) for r in four if r.quality),
        *(Subject(f"{r.task}: {r.name}", "compared", _cells(r)) for r in four if (r.task, r.name) in COMPARED),
        Subject("gradient through both sides", "compared", (BOTH_SIDES,)),
    ]


def make_calibration(assignment: Assignment, seed: int) -> Calibration:
    """Train a seed's teacher by the notebook's own recipe, and draw noise, endpoints and data; limits are open."""
    namespace = run_cells(assignment, [])
    teacher = namespace["train_teacher"](seed)
    noise = torch.randn(NOISES, 2, generator=torch.Generator().manual_seed(seed + 1))
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed + 2)
        data = namespace["sample_two_moons"](POINTS)
        endpoints = namespace["ode_endpoint"](teacher, noise, n_steps=200)
    state = {name: value.detach().contiguous() for name, value in teacher.state_dict().items()}
    return Calibration(state, noise, endpoints, data, Limits(float("inf"), float("inf")))


def due(found: list[Subject], seed: int) -> list[Subject]:
    """Return the subjects that run with this seed: noise and wrong answers with each, the others in turn."""
    recorded = [subject for subject in found if subject.kind == "right" and not subject.noise]
    return [
        subject
        for subject in found
        if subject.kind == "wrong"
        or subject.noise
        or (subject.kind == "compared" and seed < ROUNDS)
        or (subject in recorded and recorded.index(subject) % ROUNDS == seed % ROUNDS)
    ]


def measure(assignment: Assignment, found: list[Subject], seed: int, recipe: Recipe) -> Iterator[Measured]:
    """Train a teacher and yield what came of each subject."""
    reference = PreparedTraining(assignment, make_calibration(assignment, seed), recipe)
    own_w2 = _sliced_w2(reference, reference.run.online)
    for number, subject in enumerate(due(found, seed)):
        with redirect_stdout(io.StringIO()), warnings.catch_warnings(action="ignore"):  # some right answers print
            functions = _functions(reference, subject, 1000 * seed + number)
            online = train(functions, reference.batches, Progress(recipe, reference.start))
            first = seed < ROUNDS if subject.kind == "right" else seed == 0
            apart = deviation(_functions(reference, subject, seed), reference) if first else None
        distance = reference.measure(online)
        yield Measured(
            subject.name,
            subject.kind,
            seed,
            distance.mean / reference.distance.mean,
            distance.tail / reference.distance.tail,
            _sliced_w2(reference, online) / own_w2,
            apart,
            subject.noise,
        )


def deviation(functions: Functions, reference: PreparedTraining) -> float:
    """Return how far an answer is at most from the reference's, relative to its largest entry, on the whole trace."""
    run, batches, trace = Progress(reference.recipe, reference.start), reference.batches, reference.run
    largest = 0.0
    for step in range(reference.recipe.steps):
        t_n1, t_n, target = batches.t_n1[step], batches.t_n[step], run.target
        points = Points(trace.x_tn1[step], t_n1, trace.x_hat_tn[step], t_n)
        pairs = [
            (functions.noisy_sample(batches.x_0[step], batches.epsilon[step], t_n1), trace.x_tn1[step]),
            (functions.teacher_ode_step(trace.x_tn1[step], t_n1, t_n), trace.x_hat_tn[step]),
            (functions.gradient(run.online, target, points), trace.gradient[step]),
        ]
        _walk(run, trace)
        pairs.append((functions.ema_update(run.online, target, reference.recipe.decay), run.target))
        largest = max(largest, *(difference(answer, expected) for answer, expected in pairs))
    return largest


def _walk(run: Progress, trace: Trace) -> None:
    run.descend(trace.gradient[run.step])
    run.end_step(run.averaged())


def _functions(reference: PreparedTraining, subject: Subject, seed: int) -> Functions:
    if subject.noise:
        return Noisy(reference.functions, subject.noise, seed)
    answers = [cell.source for cell in reference.assignment.reference]
    namespace = run_answers(reference.assignment, [*answers, *subject.cells])
    teacher = namespace["ToyModel"]()  # of the namespace's own class, as in a box
    teacher.load_state_dict(reference.calibration.teacher)
    return notebook_functions(namespace, teacher.eval().requires_grad_(False), reference.recipe)


def run_answers(assignment: Assignment, cells: Iterable[str]) -> dict[str, Any]:
    """Return the namespace that the prelude and then these cells leave in this process, run as a box runs them."""
    namespace = run_cells(assignment, [])
    running = Cells(namespace, lambda error: error, KeyboardInterrupt, sorted(assignment.elsewhere))
    for number, source in enumerate(cells, 1):
        for failed in running.run(f"<cell {number}>", source).failures:
            raise failed.why
    return namespace


def _cells(*records: Record) -> tuple[str, ...]:
    return tuple(cell for r in records for cell in (r.before, r.answer, r.after) if cell)


def _sliced_w2(reference: PreparedTraining, online: Tensor) -> float:
    """Return the sliced Wasserstein-2 distance of one jump's samples to data, over 60 directions."""
    samples = reference.jump(online)
    data = reference.calibration.data[: len(samples)]
    angles = torch.arange(60) * torch.pi / 60
    directions = torch.stack([angles.cos(), angles.sin()], dim=1)
    along_samples, along_data = (directions @ samples.T).sort().values, (directions @ data.T).sort().values
    return float((along_samples - along_data).square().mean().sqrt())
