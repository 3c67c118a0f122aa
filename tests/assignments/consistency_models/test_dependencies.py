"""Which tasks depend on which, as the notebook says it."""

from __future__ import annotations

from autograder.assignments.consistency_models.training.functions import FUNCTIONS
from autograder.judge.regrade import with_dependents
from autograder.nbgrader_host.course import load_course
from tests.notebooks import COURSE, assignment


def test_the_functions_that_are_trained_together_are_what_the_training_needs() -> None:
    """The notebook says so of both tasks that ask for the training."""
    for task in ("boundary_condition", "sample_quality"):
        assert assignment().task(task).needs == FUNCTIONS


def test_a_task_is_marked_again_with_what_depends_on_it() -> None:
    """What needs it, and what may call it; nothing else."""
    whole = assignment()
    assert with_dependents(["ema_update"], whole) == ("ema_update", "boundary_condition", "sample_quality")
    assert with_dependents(["sample_quality"], whole) == ("sample_quality",)
    assert set(with_dependents(["noisy_sample"], whole)) == {
        "noisy_sample", "boundary_condition", "sample_quality", "sample_consistency_multistep",
        "consistency_training_pair",
    }  # fmt: skip


def test_students_are_not_told_how_tasks_depend() -> None:
    """It is the judge's business, and the release stays as it is when it changes."""
    released = load_course(COURSE).release(assignment())
    ours = [dict(cell.metadata.get("autograder", {})) for cell in released.cells]
    assert [each for each in ours if "task" in each]
    assert not [each for each in ours if {"needs", "calls"} & set(each)]
