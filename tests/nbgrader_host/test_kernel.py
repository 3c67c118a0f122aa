"""The hidden checks inside a notebook's own kernel, as a stock nbgrader runs them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook

from autograder.nbgrader_host.kernel import mark_namespace
from autograder.verdict import Status
from tests import notebooks
from tests.notebooks import NAME

HARD_COPY = """
def ema_update(online, target, decay):
    for p_target, p_online in zip(target.parameters(), online.parameters()):
        p_target.data.copy_(p_online.data)
"""
# Stands where the notebook trains for half a minute; the visible asserts ask for these names only.
STAND_IN = """
teacher = ToyModel().requires_grad_(False)
consistency_model = ConsistencyModel()
endpoint_error = lambda model: 0.1
history = {"error": [0.1]}
"""


def namespace(**changes: str) -> dict[str, object]:
    """Return a kernel's namespace after the given cells, the reference's answers and these changed ones."""
    found: dict[str, object] = {"__name__": "__main__"}
    for cell in notebooks.assignment().prelude:
        exec(cell.source, found)
    for answer in (notebooks.reference_answers() | changes).values():
        exec(answer, found)
    return found


def test_mark_gives_the_reference_all_points_of_a_task() -> None:
    """In the kernel, too, a right answer earns what the cell is worth."""
    result = mark_namespace(notebooks.assignment(), namespace(), "ema_update")
    assert result.score == result.points == 16


def test_mark_names_the_misconception_of_a_wrong_answer() -> None:
    """In the kernel, too, a known mistake is named."""
    result = mark_namespace(notebooks.assignment(), namespace(ema_update=HARD_COPY), "ema_update")
    assert result.score == 0
    assert result.checks[0].misconception == "hard_copy"


def test_mark_says_that_a_missing_function_was_not_attempted() -> None:
    """A namespace without the function is no fault of the grader."""
    bare = namespace()
    del bare["noisy_sample"]
    result = mark_namespace(notebooks.assignment(), bare, "noisy_sample")
    assert {check.status for check in result.checks} == {Status.NOT_ATTEMPTED}


def test_mark_keeps_standard_error_empty(capfd: pytest.CaptureFixture[str]) -> None:
    """nbgrader takes any output on standard error for a failed cell."""
    mark_namespace(notebooks.assignment(), namespace(), "noisy_sample")
    assert capfd.readouterr().err == ""


def small_course(folder: Path) -> Path:
    """Return a course whose notebook has the given definitions, the answers and the tests, and trains nothing."""
    settings = (notebooks.COURSE / "nbgrader_config.py").read_text(encoding="utf-8").splitlines()
    stock = [line for line in settings if "configure" not in line]  # as a course that does not use our judge
    assert len(stock) == len(settings) - 2
    (folder / "nbgrader_config.py").write_text("\n".join(stock), encoding="utf-8")
    notebook = notebooks.source_notebook()
    kept = []
    for cell in notebook.cells:
        grading = cell.metadata.get("nbgrader", {})
        if grading.get("grade_id") == "distillation":
            cell.source = STAND_IN
            kept.append(cell)
        elif "prelude" in cell.metadata.get("tags", ()) or (
            cell.cell_type == "code" and (grading.get("grade") or grading.get("solution"))
        ):
            kept.append(cell)
    notebook.cells = kept
    notebooks.write(notebook, folder / "source" / NAME)
    return folder


def nbgrader(folder: Path, *words: str) -> None:
    """Run a stock nbgrader command in a course folder; its own log is shown when it fails."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(notebooks.COURSE),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.full
@pytest.mark.slow
def test_stock_nbgrader_autograde_gives_the_checks_points(tmp_path: Path) -> None:
    """`nbgrader generate_assignment` and `autograde`, unpatched, record the points of the same checks."""
    course = small_course(tmp_path)
    nbgrader(course, "generate_assignment", NAME)
    released = nbformat.read(course / "release" / NAME / f"{NAME}.ipynb", 4)
    for student, changes in (
        ("right", {}),
        ("wrong", {"noisy_sample": "def noisy_sample(x_0, epsilon, t):\n    return x_0 * 1.0"}),
    ):
        handed_in = nbformat.from_dict(released)
        for task, answer in (notebooks.reference_answers() | changes).items():
            notebooks.cell(handed_in, task).source = answer
        notebooks.write(handed_in, course / "submitted" / student / NAME)
    nbgrader(course, "autograde", NAME)
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        points = {
            student: {
                grade.name: grade.auto_score for grade in gradebook.find_submission_notebook(NAME, NAME, student).grades
            }
            for student in ("right", "wrong")
        }
    tasks = {f"test_{task.id}": task.points for task in notebooks.assignment().tasks}
    assert {name: points["right"][name] for name in tasks} == tasks
    assert points["wrong"]["test_noisy_sample"] == 0
    assert points["wrong"]["test_ema_update"] == tasks["test_ema_update"]
