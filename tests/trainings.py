"""What tests of the short training share: references, and students whose functions live in this process."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Collection, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

import torch

from autograder.assignments.consistency_models.prepare import PreparedTraining, run_cells
from autograder.assignments.consistency_models.training.calibration import Calibration, Limits
from autograder.assignments.consistency_models.training.functions import FUNCTIONS
from autograder.assignments.consistency_models.training.quality import JointTraining
from autograder.assignments.consistency_models.training.recipe import Recipe
from autograder.assignments.consistency_models.training.spread import run_answers
from autograder.checking.student import Student
from autograder.judge.run import Outcome, Run
from autograder.nbgrader_host.kernel import LocalStudent
from autograder.verdict import Status
from tests.notebooks import assignment, reference_answers

SHORT = replace(Recipe(), steps=60, hidden_dim=16)


@functools.cache
def reference() -> PreparedTraining:
    """Return the reference with the committed calibration; its run is made once a process."""
    torch.set_num_threads(1)
    return PreparedTraining(assignment())


@functools.cache
def short_reference() -> PreparedTraining:
    """Return a reference with a teacher that has learned nothing and a run of 60 steps: enough for the mechanics."""
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        teacher = run_cells(assignment(), [])["ToyModel"]().state_dict()
    points = torch.randn(300, 2, generator=generator)
    calibration = Calibration(teacher, points[:100], points[100:200], points, Limits(1.2, 1.2))
    return PreparedTraining(assignment(), calibration, SHORT)


def student(changes: Mapping[str, str] | None = None, cells: tuple[str, ...] = ()) -> LocalStudent:
    """Return a student with the reference's answers but for these, after some cells of their own."""
    answers = {**reference_answers(), **(changes or {})}
    return LocalStudent(run_answers(assignment(), [*cells, *answers.values()]))


class Only:
    """One student, whatever the task."""

    def __init__(self, student: Any) -> None:
        self.student = student

    def open(self, task: str) -> contextlib.AbstractContextManager[Any]:
        """Return the student."""
        return contextlib.nullcontext(self.student)

    def run_again(self) -> bool:
        """Say that nothing runs twice."""
        return False


def training(
    of: Student,
    passed: Collection[str] = FUNCTIONS,
    by: PreparedTraining | None = None,
    at_fault: Collection[str] = (),
) -> JointTraining:
    """Return what a student trains with the functions that have `passed`; a check beside the value has failed others.

    These are `at_fault`.
    """
    run = Run(assignment(), Only(of), "seed", by or short_reference())
    for task in {*passed, *at_fault}:
        value = Outcome("value", "", Fraction(1), True, Status.PASSED if task in passed else Status.WRONG)
        beside = Outcome("beside", "", Fraction(1), False, Status.WRONG if task in at_fault else Status.PASSED)
        run.outcomes[task] = [value, beside]
    return JointTraining(run)
