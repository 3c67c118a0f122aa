"""What tests of the short training share: references, and students whose functions live in this process."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Mapping
from dataclasses import replace

import torch

from autograder.assignments.consistency_models.training.calibration import Calibration, Limits
from autograder.assignments.consistency_models.training.functions import FUNCTIONS
from autograder.assignments.consistency_models.training.quality import Marking, Reference, run_cells
from autograder.assignments.consistency_models.training.recipe import Recipe
from autograder.assignments.consistency_models.training.spread import run_answers
from autograder.checking.student import Student
from autograder.nbgrader_host.kernel import LocalStudent
from tests.notebooks import assignment, reference_answers

SHORT = replace(Recipe(), steps=60, hidden_dim=16)


@functools.cache
def reference() -> Reference:
    """Return the reference with the committed calibration; its run is made once a process."""
    torch.set_num_threads(1)
    return Reference(assignment())


@functools.cache
def short_reference() -> Reference:
    """Return a reference with a teacher that has learned nothing and a run of 60 steps: enough for the mechanics."""
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        teacher = run_cells(assignment(), [])["ToyModel"]().state_dict()
    points = torch.randn(300, 2, generator=generator)
    calibration = Calibration(teacher, points[:100], points[100:200], points, Limits(1.2, 1.2))
    return Reference(assignment(), calibration, SHORT)


def student(changes: Mapping[str, str] | None = None, cells: tuple[str, ...] = ()) -> LocalStudent:
    """Return a student with the reference's answers but for these, after some cells of their own."""
    answers = {**reference_answers(), **(changes or {})}
    return LocalStudent(run_answers(assignment(), [*cells, *answers.values()]))


def marking(
    of: Student,
    held: frozenset[str] = frozenset(FUNCTIONS),
    by: Reference | None = None,
    charged: frozenset[str] = frozenset(),
) -> Marking:
    """Return the marking of a student: `held` are the functions whose value checks hold, `charged` failed others."""

    @contextlib.contextmanager
    def open_student(task: str) -> Iterator[Student]:
        yield of

    return Marking(by or short_reference(), held.__contains__, charged.__contains__, open_student)
