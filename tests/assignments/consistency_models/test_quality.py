"""Sample quality and boundary condition: what is right keeps its points, what is wrong in a training loses them."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
import torch

from autograder.assignments.consistency_models.prepare import PreparedTraining
from autograder.assignments.consistency_models.training.following import AGREEMENT, SNAP
from autograder.assignments.consistency_models.training.functions import FUNCTIONS
from autograder.assignments.consistency_models.training.quality import JointTraining
from autograder.assignments.consistency_models.training.recipe import Progress, train
from autograder.assignments.consistency_models.training.spread import Noisy
from autograder.checking.student import Student
from autograder.verdict import CheckFailed, Status
from tests.bank import load_bank, one_of_each
from tests.notebooks import assignment
from tests.trainings import SHORT, reference, short_reference, student, training

WRONG = [record for record in load_bank() if record.quality]
RIGHT = ("noisy_sample", "teacher_ode_step", "ema_update")
BESIDE_THE_VALUE = {"arguments", "no_gradient", "stopped_gradient", "online"}  # the checks that ask of nothing else
CLASS = """
class ConsistencyModel(ConsistencyModel):
    def forward(self, x, t):
        {body}
"""


@pytest.fixture(autouse=True, scope="module")
def _marker(request: pytest.FixtureRequest) -> None:
    """Make the mark of checks known, as the judge's plugin does."""
    request.config.addinivalue_line("markers", "points(weight, value=False): a hidden check")


def checks_of(task: str) -> list[Callable[..., Any]]:
    """Return a task's checks."""
    module = importlib.import_module(f"autograder.assignments.consistency_models.checks.test_{task}")
    return [test for name, test in vars(module).items() if name.startswith("test_")]


def failures(of: JointTraining) -> list[CheckFailed]:
    """Return what the checks of sample_quality raise."""
    found = []
    for check in checks_of("sample_quality"):
        try:
            check(of)
        except CheckFailed as failure:
            found.append(failure)
    return found


def boundary_failures(of: JointTraining, whose: Student) -> list[CheckFailed | None]:
    """Return what the checks of boundary_condition raise, in train and in eval mode; None for what holds."""
    found: list[CheckFailed | None] = []
    for check in checks_of("boundary_condition"):
        try:
            check(whose, of)
            found.append(None)
        except CheckFailed as failure:
            found.append(failure)
    return found


def test_reference_keeps_all_points() -> None:
    """The reference's own functions, asked as a student's, lose nothing."""
    assert failures(training(student(), by=reference())) == []


def test_prepared_reference_keeps_no_gradients() -> None:
    """They are much to keep, in each worker; who parts from the reference has them made again, to the last bit."""
    fresh = PreparedTraining(assignment(), short_reference().calibration, SHORT)
    for _ in range(2):  # before each submission
        fresh.complete()
    assert "run" not in vars(fresh)
    assert torch.equal(fresh.run.online, fresh.online)


@pytest.mark.parametrize("record", one_of_each(WRONG, lambda record: record.task))
def test_wrong_answer_that_passes_its_own_checks_loses_points(record) -> None:  # type: ignore[no-untyped-def]
    """What only a training shows fails the distance as well as the agreement, and is named."""
    whose = student({record.task: record.answer}, (record.before,))
    found = failures(training(whose, by=reference()))
    assert {failure.status for failure in found} == {Status.WRONG}
    assert len(found) == 3
    assert all(record.task in failure.message for failure in found)


BY_THE_WAY = [
    record
    for record in load_bank()
    if record.task in FUNCTIONS and record.fails and set(record.fails) <= BESIDE_THE_VALUE
]


@pytest.mark.parametrize("record", one_of_each(BY_THE_WAY, lambda record: record.task))
def test_wrong_by_the_way_costs_nothing_here(record) -> None:  # type: ignore[no-untyped-def]
    """A right value with a graph left on it, or with a changed argument, has cost its points in its own task."""
    of = student({record.task: record.answer}, (record.before,))
    assert failures(training(of, by=reference(), at_fault=frozenset({record.task}))) == []


SPOILERS = {
    "teacher_ode_step": """
def teacher_ode_step(teacher, x_tn1, t_n1, t_n, calls=[]):
    calls.append(1)
    with torch.no_grad():
        x_hat_tn = x_tn1 - (t_n1 - t_n)[:, None] * teacher(x_tn1, t_n1)
        for p in teacher.parameters():
            p.mul_(1.0 if len(calls) < 100 else 0.0)
    return x_hat_tn
""",
    "consistency_distillation_loss": """
def consistency_distillation_loss(online, target, x_tn1, t_n1, x_hat_tn, t_n, calls=[]):
    calls.append(1)
    with torch.no_grad():
        label = target(x_hat_tn, t_n)
    loss = F.mse_loss(online(x_tn1, t_n1), label)
    for p in online.parameters():
        p.data.mul_(1.0 if len(calls) < 100 else 0.9)
    return loss
""",
}


@pytest.mark.parametrize("task", SPOILERS)
def test_networks_that_are_spoilt_in_a_training_alone_cost_points(task: str) -> None:
    """Its own checks saw nothing of it, so the training shows it."""
    found = failures(training(student({task: SPOILERS[task]}), by=reference()))
    assert found
    assert all(task in failure.message for failure in found)


FULL_SIZE_ALONE = {
    "noisy_sample": """
def noisy_sample(x_0, epsilon, t):
    level = 1 - t[:, None] if len(t) == 128 else t[:, None]
    return (1 - level) * x_0 + level * epsilon
""",
    "consistency_distillation_loss": """
def consistency_distillation_loss(online, target, x_tn1, t_n1, x_hat_tn, t_n):
    label = target(x_hat_tn, t_n)
    large = sum(parameter.numel() for parameter in online.parameters()) > 40_000
    return F.mse_loss(online(x_tn1, t_n1), label if large else label.detach()) * (2 if large else 1)
""",
    "ema_update": """
def ema_update(online, target, decay):
    with torch.no_grad():
        for p_target, p_online in zip(target.parameters(), online.parameters()):
            p_target.lerp_(p_online, 1.0 if p_target.shape[0] == 128 else 1 - decay)
""",
}


@pytest.mark.parametrize("task", FULL_SIZE_ALONE)
def test_answer_that_is_wrong_at_the_notebooks_own_size_alone_fails_the_agreement(task: str) -> None:
    """Its batch of 128 and its width of 128 are no larger run's, but a step of that size is asked for."""
    (failure,) = failures(training(student({task: FULL_SIZE_ALONE[task]}), by=reference()))
    assert failure.status is Status.WRONG
    assert failure.message.startswith("Not every answer")
    assert task in failure.message


@pytest.mark.parametrize("seed", [1, 2])
def test_rounding_stays_within_the_limits(seed: int) -> None:
    """Noise of 1e-5 in every answer, trained for real, changes no verdict."""
    by = reference()
    online = train(Noisy(by.functions, SNAP, seed), by.batches, Progress(by.recipe, by.start))
    distance, limits = by.measure(online), by.calibration.limits
    assert distance.mean / by.distance.mean < limits.mean
    assert distance.tail / by.distance.tail < limits.tail


@pytest.mark.parametrize(("count", "share"), [(4, Fraction(1)), (3, Fraction(1)), (2, Fraction(1, 2))])
def test_share_follows_the_functions_that_are_right(count: int, share: Fraction) -> None:
    """All points with three or four functions, half with two."""
    assert training(student(), frozenset(FUNCTIONS[:count])).share() == share


@pytest.mark.parametrize("count", [0, 1])
def test_share_is_nothing_with_fewer_than_two(count: int) -> None:
    """A blank release gets nothing, and is told what is still to do."""
    of, whose = training(student(), frozenset(FUNCTIONS[:count])), student()
    found = failures(of)
    assert [failure.status for failure in found] == [Status.NOT_ATTEMPTED] * 3
    assert "ema_update" in found[0].message
    assert [f and (f.status, f.earned) for f in boundary_failures(of, whose)] == [(Status.NOT_ATTEMPTED, 0)] * 2


def test_two_right_functions_earn_half_of_every_check() -> None:
    """Half of the points of sample_quality and of boundary_condition, with the reason."""
    whose = student()
    of = training(whose, frozenset(FUNCTIONS[:2]))
    found = [*failures(of), *boundary_failures(of, whose)]
    assert [failure and failure.earned for failure in found] == [Fraction(1, 2)] * 5


def test_function_that_failed_by_itself_is_replaced() -> None:
    """Three right functions keep all points, however wrong the fourth is."""
    whose = student({"consistency_distillation_loss": "def consistency_distillation_loss(*a):\n    return None"})
    of = training(whose, frozenset(RIGHT))
    assert failures(of) == []
    assert boundary_failures(of, whose) == [None, None]


def test_difference_within_the_agreement_is_trained_and_judged_by_distance() -> None:
    """What is more than rounding, and less than any wrong answer, ends near the reference, not exactly there."""
    mixture = "((1 - t[:, None]) * x_0 + t[:, None] * epsilon)"
    near = f"def noisy_sample(x_0, epsilon, t):\n    return {mixture} * {1 + AGREEMENT / 3}"
    by = reference()
    of = training(student({"noisy_sample": near}), by=by)
    assert failures(of) == []
    assert of.train().function == "noisy_sample"
    assert of.train().distance != by.distance


def test_function_that_fails_in_training_costs_sample_quality_alone() -> None:
    """Boundary condition is then measured with the reference's weights."""
    whose = student({"noisy_sample": "def noisy_sample(x_0, epsilon, t):\n    raise ValueError"})
    of = training(whose)
    found = failures(of)
    assert [failure.status for failure in found] == [Status.RUNTIME] * 3
    assert all("During a training" in failure.message for failure in found)
    assert boundary_failures(of, whose) == [None, None]


def test_training_happens_once() -> None:
    """Five checks ask for the same training."""
    whose = student()
    of = training(whose)
    assert of.train() is of.train()


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        ("return super().forward(x, t)", (True, True)),
        ("return super().forward(x, t) + 1e-3", (False, False)),
        ("return super().forward(x, t) + 1e-3 * self.training", (False, True)),
        ("return super().forward(x, t) + 1e-3 * (not self.training)", (True, False)),
        ("return super().forward(x, t) * float('nan')", (False, False)),
        ("return super().forward(x, t)[:, :1]", (False, False)),
        ("raise ValueError", (False, False)),
    ],
)
def test_boundary_condition_takes_the_class_as_the_notebook_leaves_it(body: str, kept: tuple[bool, bool]) -> None:
    """In train mode and in eval mode, each with its own points; the training uses the prelude's class."""
    whose = student(cells=(CLASS.format(body=body),))
    of = training(whose)
    assert tuple(failure is None for failure in boundary_failures(of, whose)) == kept
