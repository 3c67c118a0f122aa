"""Who handed in what, and the names of their files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from autograder.errors import UsageError
from autograder.intake.class_folder import Roll, file_sha256, student_id
from autograder.system.file_names import file_name
from tests.fake_class import HOSTILE_NAMES
from tests.fake_judge import hand_in
from tests.notebooks import NAME


@pytest.mark.parametrize("name", [*HOSTILE_NAMES, "../../x", "/etc/passwd", ".", "..", "", "a\x00b", ".hidden"])
def test_file_name_stays_in_its_folder(name: str) -> None:
    """A file name is one plain component, not hidden, not a page of ours, and short enough for any file system."""
    safe = file_name(name)
    assert safe == Path(safe).name
    assert not set('/\\:*?"<>|\n\t\x00\x1b\u202e') & set(safe)
    assert safe[0] not in ".-"
    assert safe.lower() not in ("index", "staff")
    assert len(f"{safe}.json".encode()) <= 200


def test_file_name_differs_for_different_students_and_keeps_ordinary_ones() -> None:
    """No two students share a report, also where one is named like the other's encoding."""
    names = [*HOSTILE_NAMES, "%3DHYPERLINK", "=HYPERLINK", "%69ndex", "x" * 251, "é" * 121]
    assert len({file_name(name) for name in names}) == len(set(names))
    for name in ("ada", "Zoë Müller", "李雷", "s-1.2_x"):
        assert file_name(name) == name


def test_student_id_spells_out_bytes_that_are_no_text() -> None:
    """A folder from an old archive may have a name in no known encoding."""
    assert student_id(os.fsdecode(b"latin-\xff")) == "latin-\\xff"


def test_roll_finds_the_three_layouts(tmp_path: Path) -> None:
    """Folders in nbgrader's layout, plain folders and single notebooks; nothing hidden, no other file, no results."""
    submitted = tmp_path / "submitted"
    hand_in(tmp_path, "ada", "x")
    for path in ("ben/hw.ipynb", "cleo.ipynb", "dan/hw.ipynb", "dan.ipynb", ".git/x.ipynb", "notes.txt", "results/x"):
        (submitted / path).parent.mkdir(parents=True, exist_ok=True)
        (submitted / path).write_text("x")
    roll = Roll(submitted, leave_out=submitted / "results", assignment=NAME)
    found = {handin.student: handin for handin in roll}
    assert roll.passed_over == ["notes.txt"]
    assert list(found) == ["ada", "ben", "cleo", "dan"]
    assert found["cleo"].notebook == submitted / "cleo.ipynb"
    assert found["dan"].notebook == submitted / "dan" / "hw.ipynb"
    assert [notice.code for notice in found["dan"].notices] == ["several_notebooks"]


def test_ending_of_a_notebook_may_be_in_capitals(tmp_path: Path) -> None:
    """As inside a student's folder; the exact one of two counts, and the other is told."""
    for name in ("ada.IPYNB", "ben.IPYNB", "ben.ipynb", "cleo.zip"):
        (tmp_path / name).write_text("x")
    roll = Roll(tmp_path, leave_out=tmp_path / "results", assignment=NAME)
    ada, ben = roll
    assert (ada.student, ada.notebook, ada.notices) == ("ada", tmp_path / "ada.IPYNB", ())
    assert (ben.student, ben.notebook) == ("ben", tmp_path / "ben.ipynb")
    assert [notice.message for notice in ben.notices] == [
        "Another notebook 'ben.IPYNB' was handed in under the same name; it was not marked."
    ]
    assert (roll.passed_over, len(roll)) == (["cleo.zip"], 2)


def test_reports_among_the_submissions_are_not_passed_over(tmp_path: Path) -> None:
    """They are ours where OUT is the folder of submissions itself."""
    for name in ("ada.ipynb", "ada.html", "grades.csv"):
        (tmp_path / name).write_text("x")
    assert Roll(tmp_path, leave_out=tmp_path, assignment=NAME).passed_over == []


def test_roll_leaves_out_results_that_stand_among_the_submissions(tmp_path: Path) -> None:
    """OUT may be the folder of submissions itself, and an earlier OUT in it is no student; a hand-in always is one."""
    for path in ("ada/hw.ipynb", "old/staff/.lock", "old/ada.json", "staff/ada.json", "autograded/ada/x", "eve/notes"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("x")
    assert list(Roll(tmp_path, leave_out=tmp_path, assignment=NAME).students()) == ["ada", "eve"]
    (tmp_path / "eve" / "staff").mkdir()
    (tmp_path / "eve" / "staff" / ".lock").touch()
    (tmp_path / "eve" / "mine.ipynb").touch()
    assert list(Roll(tmp_path, leave_out=tmp_path / "results", assignment=NAME).students()) == [
        "ada",
        "autograded",
        "eve",
        "staff",
    ]


def test_results_never_take_the_place_of_a_hand_in(tmp_path: Path) -> None:
    """A student's folder named as OUT would be left out of the class."""
    hand_in(tmp_path, "ada", "x")
    hand_in(tmp_path, "ben", "x")
    submitted = tmp_path / "submitted"
    with pytest.raises(UsageError, match=r"ben holds a student's notebook; name another folder for the results"):
        Roll(submitted, leave_out=submitted / "ben", assignment=NAME)


def test_file_that_is_too_large_is_not_read_for_its_hash(tmp_path: Path) -> None:
    """A terabyte of nothing would hold up the class for hours."""
    large = tmp_path / "large.ipynb"
    large.touch()
    os.truncate(large, 2**40)
    assert file_sha256(large) == ""
    os.truncate(large, 2**10)
    assert len(file_sha256(large)) == 64
