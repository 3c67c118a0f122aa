"""A class marked by the fake judge, and what came of it."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

from autograder.assignment import load_assignment
from autograder.batch import ClassJob, grade_class
from autograder.marking import Marking
from autograder.settings import Settings
from autograder.students import file_name
from tests.fake_judge import FakeJudge

HOSTILE_NAMES = [
    '=HYPERLINK("http:evil","x")', "+1", "-1", "@SUM(A1)", "a,b", "two\nlines", "tab\there", "emoji 😀", "a\\b",
    "\u202egnp.exe", "%2e%2e", "index", "Index", "staff", "quote'\"", "<script>alert(1)<", "ends.", "ends ", "~tilde",
    "x" * 250, "é" * 120, "::set-output name=score::100", "\x1b[31mred", "NUL", "$(reboot)", "consistency-models",
]  # fmt: skip


def grade(course: Path, *, workers: int = 2, force: bool = False, isolation: str = "namespaces") -> int:
    """Grade the course's class with the fake judge."""
    marking = Marking(load_assignment(course), Settings(), isolation, FakeJudge)
    return grade_class(ClassJob(course / "submitted", course / "results", workers, force), marking)


def report(course: Path, student: str) -> dict[str, Any]:
    """Return a student's JSON report."""
    value: dict[str, Any] = json.loads((course / "results" / f"{file_name(student)}.json").read_text())
    return value


def rows(course: Path) -> list[dict[str, str]]:
    """Return the rows of grades.csv."""
    text = (course / "results" / "grades.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def marked(course: Path) -> int:
    """Return how often a submission was marked, and forget it."""
    files = list((course / "lives").glob("marked-*"))
    count = sum(len(file.read_text().splitlines()) for file in files)
    for file in files:
        file.unlink()
    return count
