"""`nbgrader export` in this course: nbgrader's own table, in which a name stays in its cell and is no formula."""

from __future__ import annotations

import csv
import logging
import os
from pathlib import Path

import pytest
from nbgrader import api
from nbgrader.plugins import CsvExportPlugin

from autograder.nbgrader_host.export import TableOfMarks
from autograder.nbgrader_host.gradebook_rows import student_key
from autograder.text import no_formula
from tests.fake_class import HOSTILE_NAMES
from tests.nbgrader_courses import BIN, course_folder, nbgrader
from tests.notebooks import NAME
from tests.sample_reports import HOSTILE


@pytest.fixture(autouse=True)
def _alembic(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the environment's commands on the path: a new gradebook asks for one by name."""
    monkeypatch.setenv("PATH", f"{BIN}{os.pathsep}{os.environ['PATH']}")


def fill(book: api.Gradebook, names: list[str]) -> None:
    """Enter an assignment, and students with these names, of whom every second one handed something in."""
    book.add_assignment(NAME, duedate="2026-12-01 18:00:00.000000 UTC")
    book.add_notebook(NAME, NAME)
    book.add_grade_cell("test_a", NAME, NAME, max_score=10, cell_type="code")
    for place, name in enumerate(names):
        book.add_student(student_key(name), first_name=name, last_name=name, email=f"{name}@example.edu")
        if place % 2:
            with book.db.no_autoflush:
                submission = book.add_submission(NAME, student_key(name))
            (grade,) = submission.notebooks[0].grades
            grade.auto_score = place / 100
            grade.needs_manual_grade = False
    book.db.commit()


@pytest.mark.slow
def test_export_keeps_every_name_in_its_cell(tmp_path: Path) -> None:
    """Typed as a person would, read by Python's reader: a row a student, marks in their columns, no formula."""
    course = course_folder(tmp_path / "course")
    names = ["Lovelace, Ada", HOSTILE.replace("\ud800", "").replace("\x00", ""), *HOSTILE_NAMES]
    with api.Gradebook(f"sqlite:///{course}/gradebook.db") as book:
        fill(book, names)
    nbgrader(course, "export")
    with open(course / "grades.csv", newline="", encoding="utf-8") as file:
        rows = {row["student_id"]: row for row in csv.DictReader(file, strict=True)}
    assert len(rows) == len(names)
    for place, name in enumerate(names):
        row = rows[no_formula(student_key(name))]
        assert None not in row
        assert row["first_name"] == row["last_name"] == no_formula(name)
        assert (float(row["score"]), float(row["max_score"])) == (place / 100 if place % 2 else 0.0, 10.0)
    assert not any(cell.startswith(tuple("=+-@\t\r\n")) for row in rows.values() for cell in row.values())


def test_export_of_ordinary_names_is_nbgraders_own(tmp_path: Path) -> None:
    """Byte for byte, a choice of students and assignments too."""
    with api.Gradebook(f"sqlite:///{tmp_path}/gradebook.db") as book:
        fill(book, ["ada", "ben", "cleo"])
        for number, chosen in enumerate(({}, {"student": ["ben"]}, {"assignment": ["other"]})):
            written = []
            for plugin in (CsvExportPlugin, TableOfMarks):
                path = tmp_path / f"{plugin.__name__}-{number}.csv"
                plugin(to=str(path), log=logging.getLogger("export"), **chosen).export(book)
                written.append(path.read_bytes())
            assert written[0] == written[1]
