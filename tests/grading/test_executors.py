"""Worker processes of our own: what lies in the folder where the command is given is not theirs."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import time
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest

from autograder.assignment import Assignment
from autograder.grading.executors import Embedded
from autograder.grading.job import Job, Marking
from autograder.grading.worker import dismiss_judge, mark_in_worker
from autograder.intake.class_folder import Handin
from autograder.judge.regrade import Regrade
from autograder.report import UNREADABLE, Report, unmarked
from autograder.settings import Settings
from tests.notebooks import assignment

ROOT = Path(__file__).parents[2]
STARTS = """
import sys
sys.path.insert(0, sys.argv[1])  # where the package is; what the folder holds must not be found
from autograder.grading.executors import Embedded, load_ahead
if __name__ == "__main__":
    load_ahead()
    with Embedded(1).open() as pool:
        assert pool.submit(len, "abc").result() == 3
"""


@pytest.mark.parametrize("module", ["socket.py", "torch.py", "sitecustomize.py", "autograder/__init__.py"])
def test_workers_import_nothing_from_the_folder_of_submissions(tmp_path: Path, module: str) -> None:
    """A student's file beside a notebook, called as a module that a worker imports, is never run by the grader."""
    folder, trace = tmp_path / "submitted", tmp_path / "trace"
    (folder / module).parent.mkdir(parents=True)
    (folder / module).write_text(f"open({str(trace)!r}, 'w').close()\n")
    (tmp_path / "starts.py").write_text(STARTS)
    run = subprocess.run(
        [sys.executable, str(tmp_path / "starts.py"), str(ROOT)],
        cwd=folder,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert not trace.exists()
    assert run.returncode == 0, run.stderr


def test_a_pool_left_by_an_exception_leaves_no_thread() -> None:
    """A thread that still ends while the interpreter does would print a trace-back after Ctrl-C."""
    before = set(threading.enumerate())

    def interrupted() -> None:
        with Embedded(1).open() as pool:
            pool.submit(time.sleep, 60)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert set(threading.enumerate()) == before


class Knot:
    """An object that holds itself."""

    itself: Knot


@dataclass
class Untidy:
    """A judge that leaves a knot of objects behind, which nothing but a collection unties."""

    assignment: Assignment
    settings: Settings
    isolation: str
    left: ClassVar[list[weakref.ref[Any]]] = []

    def __enter__(self) -> Untidy:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def mark(self, path: Path, student: str, regrade: Regrade | None = None) -> Report:
        """Return a report, and leave something behind."""
        knot = Knot()
        knot.itself = knot
        self.left.append(weakref.ref(knot))
        return unmarked(
            self.assignment, student, UNREADABLE, "", isolation=self.isolation, file="", sha256="", versions={}
        )


def test_a_worker_keeps_nothing_of_what_it_has_marked(tmp_path: Path) -> None:
    """What a marking leaves behind is gone before the next one, so that memory does not grow with the class."""
    handin = Handin("ann", tmp_path / "answer.ipynb")
    marking = Marking(assignment(), Settings(), "none", Untidy)
    gc.disable()
    try:
        mark_in_worker(Job(handin, marking))
    finally:
        gc.enable()
        dismiss_judge()
    assert [reference() for reference in Untidy.left] == [None]
