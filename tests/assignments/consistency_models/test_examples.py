"""Small concrete cases for wrong values, where a course allows them."""

from __future__ import annotations

from typing import Any

import pytest

from autograder.assignments.consistency_models.examples import example
from autograder.judge.pytest_plugin import run_checks
from autograder.judge.run import Run
from autograder.nbgrader_host.kernel import LocalStudent
from autograder.verdict import Status
from tests import notebooks
from tests.trainings import Only

EXCHANGED = "def noisy_sample(x_0, epsilon, t):\n    t = t[:, None]\n    return t * x_0 + (1 - t) * epsilon\n"


def student(**changes: str) -> LocalStudent:
    """Return the reference's functions, but for these, in this process."""
    namespace: dict[str, Any] = {}
    for cell in notebooks.assignment().prelude:
        exec(cell.source, namespace)
    for answer in (notebooks.reference_answers() | changes).values():
        exec(answer, namespace)
    return LocalStudent(namespace)


@pytest.mark.parametrize("task", [cell.grade_id for cell in notebooks.assignment().reference])
def test_example_shows_a_case_of_every_task(task: str) -> None:
    """Every answer task has a small case, short enough to read."""
    text = example(task, student())
    assert text.startswith("A small case:")
    assert len(text) < 300


def test_example_shows_the_students_own_output() -> None:
    """The numbers are what this code returns, with three decimals."""
    assert "give [[0.9, 1.4], [0.8, 0.8]]" in example("noisy_sample", student(noisy_sample=EXCHANGED))


@pytest.mark.parametrize(
    "answer", ["return None", "raise ValueError", "return [[0.5]]", "return torch.zeros(100, 100)"]
)
def test_example_survives_any_answer(answer: str) -> None:
    """Whatever comes back, the example is a short sentence or nothing."""
    text = example("noisy_sample", student(noisy_sample=f"def noisy_sample(x_0, epsilon, t):\n    {answer}\n"))
    assert len(text) < 300


@pytest.mark.parametrize("allowed", [True, False])
def test_example_stands_in_the_report_only_where_allowed(allowed: bool) -> None:
    """The first wrong check of a task carries the case, if the course's settings say so."""
    run = Run(notebooks.assignment(), Only(student(noisy_sample=EXCHANGED)), "seed", examples=allowed)
    run_checks(run, ["noisy_sample"])
    messages = [outcome.message for outcome in run.outcomes["noisy_sample"]]
    assert run.outcomes["noisy_sample"][0].status is Status.WRONG
    assert ["A small case" in message for message in messages] == [allowed, False, False, False, False]
