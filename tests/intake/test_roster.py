"""Who should hand in, as course systems export it, and what becomes of whoever did not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from autograder.errors import UsageError
from autograder.intake.roster import read_roster
from tests.fake_class import grade, report, results_of, rows
from tests.fake_judge import hand_in, small_course

CANVAS = (
    "\ufeffStudent,ID,SIS User ID,SIS Login ID,Section,HW (12)\n"
    "    Points Possible,,,,,100\n"
    '"Lovelace, Ada",1001,S1,ada,CS-01,\n'
    '"Babbage, Charles",1002,S2,cb,CS-01,\n'
)
MOODLE = "Identifier,Full name,Status\nParticipant 4711,Ada,-\nParticipant 4712,Ben,-\n"
LISTS = {
    "nbgrader": ("id,first_name,last_name,email\nada,Ada,L,a@x.example\nben,B,B,\n", ["ada", "ben"]),
    "canvas": (CANVAS, ["1001", "1002"]),
    "moodle": (MOODLE, ["4711", "4712"]),
    "semicolons": ("Student;Group\nada;1\nben;2\n", ["ada", "ben"]),
    "tabs": ("username\tx\nada\t1\n", ["ada"]),
    "a heading of another kind": ("Name\nada\nname\n", ["ada", "name"]),
    "no header": ("ada\nben\n\nada\n", ["ada", "ben"]),
    "blank cells": ("name,id\nA,ada\nB,\nC, ben \n", ["ada", "ben"]),
}


@pytest.mark.parametrize(("text", "students"), LISTS.values(), ids=LISTS)
def test_read_roster_reads_the_lists_of_course_systems(tmp_path: Path, text: str, students: list[str]) -> None:
    """Each student once, in the order of the file."""
    path = tmp_path / "roster.csv"
    path.write_text(text, encoding="utf-8")
    assert read_roster(path) == students


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "names no student"),
        (b"id\n", "names no student"),
        (b"name,mail\nada,x\n", "has no column id"),
        (b"\xff\xfe\x00", "is not in UTF-8"),  # UTF-16
        (b"PK\x03\x04\x00\x00", "is not in UTF-8"),  # a spreadsheet's own format
    ],
)
def test_read_roster_refuses_what_names_nobody(tmp_path: Path, content: bytes, says: str) -> None:
    """A wrong file is said, not taken for an empty class."""
    path = tmp_path / "roster.csv"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=says):
        read_roster(path)
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        read_roster(tmp_path / "missing.csv")


def test_grade_with_a_roster_reports_who_handed_nothing_in(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Everybody on the roster has a report and a row; who is not on it is marked and named."""
    course = small_course(tmp_path / "course")
    for student in ("ada", "zoe\u0308", "guest"):
        hand_in(course, student, "fine")
    roster = tmp_path / "roster.csv"
    roster.write_text("id\nada\nben\nzo\u00eb\n../up\n", encoding="utf-8")
    assert grade(course, roster=roster) == 0
    table = {row["student"]: row["status"] for row in rows(course)}
    assert table == {
        "../up": "unreadable",
        "ada": "graded",
        "ben": "unreadable",
        "guest": "graded",
        "zoe\u0308": "graded",
    }
    assert report(course, "ben")["reason"].startswith("Nothing was handed in.")
    assert report(course, "../up")["score"] == 0.0
    assert json.loads((results_of(course) / "staff" / "ben.json").read_text())["student"] == "ben"
    out = capsys.readouterr().out
    assert "2 handed nothing in: ../up, ben." in out
    assert "1 not on the roster: guest." in out
    hand_in(course, "ben", "fine")
    assert grade(course, roster=roster) == 0
    assert report(course, "ben")["score"] == 100.0
    assert "4 of 5 were marked before" in capsys.readouterr().out
