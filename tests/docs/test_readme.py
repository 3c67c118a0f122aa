"""README.md: its five steps, typed by an instructor, and what it says of the marks."""

from __future__ import annotations

import csv
import os
import shutil
from pathlib import Path

import pytest
from nbgrader import api

from tests.documented_commands import Shell, blocks
from tests.nbgrader_courses import BIN, course_folder, grade_of
from tests.notebooks import COURSE, NAME
from tests.sample_class import build_class

PAGE = COURSE / "README.md"


def marks(path: Path, key: str) -> dict[str, dict[str, str]]:
    """Return the rows of a table by student."""
    with open(path, newline="", encoding="utf-8") as file:
        return {row[key]: row for row in csv.DictReader(file)}


@pytest.mark.full
@pytest.mark.slow
@pytest.mark.bubblewrap
@pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed")
def test_five_steps_lead_to_feedback_and_a_final_mark(tmp_path: Path) -> None:
    """No command fails; what is marked by hand is in the final mark, and not in the results."""
    course = course_folder(tmp_path / "course", "c.LatePolicy.table = [(1000000, 10)]")
    build_class(COURSE, course / "build" / "sample-class")  # as `make grade`, the first block, leaves it
    student = course / "build" / "sample-class" / "partly-wrong" / NAME
    (student / "timestamp.txt").write_text("2020-01-02 00:00:00 UTC")
    path = f"{BIN}{os.pathsep}{os.defpath}"
    shell = Shell(course, {"PATH": path, "HOME": str(tmp_path), "LANG": "C.UTF-8"})
    first, *steps = blocks(PAGE)
    assert first.text == "make grade\n"
    assert len(steps) == 5
    for block in steps:
        if "generate_feedback" in block.text:
            with api.Gradebook(f"sqlite:///{course}/gradebook.db") as book:
                grade_of(book, "partly-wrong", "reflect_1").manual_score = 8
                book.update_or_create_assignment(NAME, duedate="2020-01-01 00:00:00 UTC")
                book.db.commit()
        shell.run(block)
    assert (course / "feedback" / "partly-wrong" / NAME / f"{NAME}.html").is_file()
    assert (course / "results" / NAME / "index.html").is_file()
    automatic = marks(course / "results" / NAME / "grades.csv", "student")["partly-wrong"]
    assert (automatic["score"], automatic["bonus"]) == ("92.0", "10.0")
    final = marks(course / "grades.csv", "student_id")["partly-wrong"]
    assert (float(final["raw_score"]), float(final["late_submission_penalty"])) == (110, 11)
    assert float(final["score"]) == 99
