"""A judge for tests in which marking itself is not the subject: the submission's text says what comes of it."""

from __future__ import annotations

import hashlib
import os
import signal
import time
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import nbformat

from autograder.assignment import Assignment
from autograder.errors import GraderFault, IsolationMissing, Unreadable
from autograder.judge.regrade import Regrade
from autograder.report import GRADED, CheckResult, Report, TaskResult
from autograder.settings import Settings
from autograder.verdict import Status

NAME = "consistency-models"
TASKS = (("noisy_sample", 60.0, False), ("ema_update", 40.0, False), ("consistency_training_pair", 10.0, True))


class Odd(Exception):
    """An exception that cannot be built again from its arguments, as some libraries' cannot."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(f"{one} {two} in /course/secret")


class FakeJudge:
    """Has the judge's interface. Each judge writes its life into the folder `lives` beside the submissions."""

    def __init__(self, assignment: Assignment, settings: Settings, isolation: str) -> None:
        self.assignment = assignment
        self.isolation = isolation
        self.lives = assignment.course / "lives"

    def __enter__(self) -> FakeJudge:
        if self.isolation == "process":
            raise IsolationMissing("no such isolation here; see `autograder doctor`")
        self._note("opened")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._note("closed")

    def mark(self, path: Path, student: str, regrade: Regrade | None = None) -> Report:
        text = path.read_text(encoding="utf-8")
        self._note("marked")
        self._obey(text, path)
        share = Fraction(2, 3) if "partly" in text else Fraction(0) if "nothing" in text else Fraction(1)
        status = Status.PASSED if share == 1 else Status.WRONG
        check = CheckResult("values", "the values", Fraction(1), status, share, "" if share == 1 else "Not yet.")
        rows = (TaskResult(id, id.replace("_", " "), points, bonus, (check,)) for id, points, bonus in TASKS)
        kept = regrade.kept if regrade is not None else {}
        tasks = tuple(kept.get(row.id, row) for row in rows)
        sha256 = hashlib.sha256(text.encode()).hexdigest()
        return Report(
            NAME, student, GRADED, None, tasks, self.isolation, 0.5, path.name, sha256, {"autograder": "0"},
            staff={"secret": "for staff alone"},
        )  # fmt: skip

    def _obey(self, text: str, path: Path) -> None:
        if "broken" in text:
            raise Unreadable("the file ends at byte 7; download it again and hand it in again")
        if "fault" in text:
            raise GraderFault("the keeper would not start from /course/secret")
        if "odd" in text:
            raise Odd("a", "b")
        if "kill once" in text and not (path.parent / "killed").exists():
            (path.parent / "killed").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if "kill always" in text:
            os.kill(os.getpid(), signal.SIGKILL)
        if "anew" in text:
            path.write_text("fine", encoding="utf-8")
        if "nap" in text:
            time.sleep(0.1)
        if "wait" in text:
            time.sleep(300)

    def _note(self, what: str) -> None:
        if self.lives.is_dir():
            with open(self.lives / f"{what}-{os.getpid()}", "a") as file:
                file.write(".\n")


def small_course(folder: Path) -> Path:
    """Make a course folder with the tasks of TASKS and return it."""
    notebook = nbformat.v4.new_notebook()
    for task, points, bonus in TASKS:
        cell = nbformat.v4.new_code_cell("pass", id=task.replace("_", "-"))
        cell.metadata["nbgrader"] = {"grade_id": f"test_{task}", "points": points, "locked": True, "grade": True}
        cell.metadata["autograder"] = {"task": task, "title": task.replace("_", " "), "bonus": bonus}
        notebook.cells.append(cell)
    path = folder / "source" / NAME / f"{NAME}.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(notebook, path)
    (folder / "nbgrader_config.py").touch()
    return folder


def hand_in(course: Path, student: str, text: str) -> Path:
    """Put a submission in nbgrader's layout and return its path."""
    path = course / "submitted" / student / NAME / f"{NAME}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path
