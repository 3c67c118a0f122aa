"""Course folders for nbgrader, and reports made without marking."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

from nbgrader import api

from autograder.report import GRADED, CheckResult, Report, TaskResult
from autograder.verdict import Status
from tests.notebooks import COURSE, NAME, assignment

BIN = Path(sys.executable).parent


def course_folder(folder: Path, settings: str = "") -> Path:
    """Make a course folder of its own from this repository's, with `settings` added to its nbgrader_config.py."""
    shutil.copytree(COURSE / "source", folder / "source")
    shutil.copytree(COURSE / "release", folder / "release")
    text = (COURSE / "nbgrader_config.py").read_text(encoding="utf-8")
    (folder / "nbgrader_config.py").write_text(f"{text}\n{settings}\n", encoding="utf-8")
    return folder


def nbgrader(course: Path, *arguments: str | Path, home: Path | None = None) -> str:
    """Run an nbgrader command in a folder as a person would, with a home of its own; returns what it said."""
    home = home or course / "home"
    home.mkdir(exist_ok=True)
    environment = {"PATH": os.defpath, "HOME": str(home), "LANG": "C.UTF-8"}
    run = subprocess.run(
        [str(BIN / "nbgrader"), *map(str, arguments)],
        cwd=course, env=environment, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout + run.stderr


def report_of(student: str, shares: Mapping[str, Fraction] | None = None, sha256: str = "0" * 64) -> Report:
    """Return a report in which every task has one check, passed but where `shares` says which part was earned."""
    shares = shares or {}
    tasks = []
    for task in assignment().tasks:
        earned = shares.get(task.id, Fraction(1))
        status = Status.PASSED if earned == 1 else Status.WRONG
        message = "" if earned == 1 else f"Look again at {task.id}."
        check = CheckResult("values", "The values are right", Fraction(1), status, earned, message)
        tasks.append(TaskResult(task.id, task.title, task.points, task.bonus, (check,)))
    return Report(NAME, student, GRADED, None, tuple(tasks), "namespaces", 1.0, f"{NAME}.ipynb", sha256, {})


def submission_of(book: api.Gradebook, student: str) -> api.SubmittedAssignment:
    """Return what a gradebook has of a student."""
    return book.find_submission(NAME, student)


def grade_of(book: api.Gradebook, student: str, cell: str) -> api.Grade:
    """Return a student's grade for a cell."""
    return book.find_grade(cell, NAME, NAME, student)
