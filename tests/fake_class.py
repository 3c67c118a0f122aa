"""A class marked by the fake judge, and what came of it."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from autograder import cli
from autograder.assignment import load_assignment
from autograder.grading.executors import Crew
from autograder.grading.grade_class import ClassJob, grade_class
from autograder.grading.job import Marking
from autograder.settings import Settings
from autograder.system.file_names import file_name
from tests.fake_judge import NAME, FakeJudge, small_course

HOSTILE_NAMES = [
    '=HYPERLINK("http:evil","x")', "+1", "-1", "@SUM(A1)", "a,b", "two\nlines", "tab\there", "emoji 😀", "a\\b",
    "\u202egnp.exe", "%2e%2e", "index", "Index", "staff", "quote'\"", "<script>alert(1)<", "ends.", "ends ", "~tilde",
    "x" * 250, "é" * 120, "::set-output name=score::100", "\x1b[31mred", "NUL", "$(reboot)", "consistency-models",
]  # fmt: skip


def grade(
    course: Path,
    *,
    workers: int = 2,
    isolation: str = "namespaces",
    crew: Crew | None = None,
    **job: Any,
) -> int:
    """Grade the course's class with the fake judge; `job` holds more fields of ClassJob."""
    marking = Marking(load_assignment(course), Settings(), isolation, FakeJudge)
    folder = job.pop("folder", course / "submitted")
    return grade_class(ClassJob(folder, results_of(course), workers, **job), marking, crew)


def results_of(course: Path) -> Path:
    """Return where the command puts the reports on a small course's class."""
    return course / "results" / NAME


def report(course: Path, student: str) -> dict[str, Any]:
    """Return a student's JSON report."""
    value: dict[str, Any] = json.loads((results_of(course) / f"{file_name(student)}.json").read_text())
    return value


def rows(course: Path) -> list[dict[str, str]]:
    """Return the rows of grades.csv."""
    text = (results_of(course) / "grades.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def marked(course: Path) -> int:
    """Return how often a submission was marked, and forget it."""
    files = list((course / "lives").glob("marked-*"))
    count = sum(len(file.read_text().splitlines()) for file in files)
    for file in files:
        file.unlink()
    return count


def use_fake_judge(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Path:
    """Make a small course, go there, and put the fake judge where the command looks for the real one."""
    judge = types.ModuleType("autograder.judge.judge")
    judge.Judge = FakeJudge  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "autograder.judge.judge", judge)
    monkeypatch.setattr("tempfile.tempdir", str(folder))  # what is kept for staff
    monkeypatch.delenv("AUTOGRADER_DEBUG", raising=False)
    course = small_course(folder / "course")
    monkeypatch.chdir(course)
    return course


def run(*arguments: str | Path) -> int:
    """Run the command in this process."""
    return cli.main([str(argument) for argument in arguments])


def name_the_class(results: Path, *students: str) -> None:
    """Write the table of a class as a grading does that found these students, behind all reports that are there."""
    table = results / "grades.csv"
    table.write_text("\n".join(["student", *students, ""]))
    when = table.stat().st_mtime_ns + 10**9
    os.utime(table, ns=(when, when))
