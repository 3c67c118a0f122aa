"""What the checks of this assignment share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from autograder.assignments.consistency_models import stand_in
from autograder.assignments.consistency_models.evidence import figures_of_levels, figures_of_training
from autograder.assignments.consistency_models.examples import example
from autograder.assignments.consistency_models.figures import QUALITY, SAMPLER
from autograder.assignments.consistency_models.training.quality import JointTraining
from autograder.checking import Student
from autograder.judge.run import Run


@pytest.fixture(scope="module")
def student(student: Student, run: Run, task: str) -> Iterator[Student]:
    """The submission's functions; where they call one that has lost its points by itself, the judge's stands in."""
    if task not in run.own_way:
        stand_in.put(student, run, but_for=task)
    yield student
    run.add_example(task, lambda: example(task, student))
    if task == SAMPLER:
        run.figures += figures_of_levels(student)


@pytest.fixture(scope="module")
def training(run: Run, task: str) -> Iterator[JointTraining]:
    """What the functions of Exercise 3 train together, once for the checks of two tasks."""
    training = JointTraining(run)
    yield training
    if task == QUALITY:
        run.figures += figures_of_training(training)
