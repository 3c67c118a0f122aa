"""Stored reports are read again whole, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.assignment import load_assignment
from autograder.errors import UsageError
from autograder.grading.job import Marking
from autograder.grading.results_folder import Results
from autograder.grading.stored_reports import StoredClass, read_record, read_report
from autograder.intake.class_folder import Handin
from autograder.settings import Settings
from tests.fake_class import HOSTILE_NAMES, grade
from tests.fake_judge import FakeJudge, hand_in, small_course
from tests.sample_reports import HOSTILE, graded

ODD = HOSTILE.replace("\ud800", "")  # a name on disk is never half a letter


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Return a folder with two stored reports."""
    marking = Marking(load_assignment(small_course(tmp_path / "course")), Settings(), "namespaces", FakeJudge)
    results = Results(tmp_path / "results", marking)
    for name in ("ada", ODD):
        results.write(Handin(name, None), graded(name, staff={"fault": "x"}))
    return results.out


def test_read_report_gives_all_that_was_stored(out: Path) -> None:
    """The report and what is for staff come back, whatever the student is called."""
    for name in ("ada", ODD):
        report = read_report(out, name)
        assert report is not None
        assert report.to_json() == graded(name).to_json()
        assert report.staff == {"fault": "x"}
    assert {report.student for report in StoredClass(out)} == {"ada", ODD}
    assert read_record(out, "ada")["student"] == "ada"


def test_read_report_leaves_what_is_not_whole(out: Path) -> None:
    """A half file is no report, and what staff know of another report is not told of this one."""
    (out / "ada.json").write_text('{"score": 100')
    assert read_report(out, "ada") is None
    (out / "ada.json").write_text(graded(reason="another").to_json())
    report = read_report(out, "ada")
    assert report is not None
    assert report.staff == {}
    (out / "staff" / "ada.json").write_text("[]")
    assert read_record(out, "ada") == {}
    assert read_report(out, "nobody") is None


def test_a_class_refuses_a_missing_folder(tmp_path: Path) -> None:
    """A mistyped folder is no empty class."""
    with pytest.raises(UsageError, match="no folder of results"):
        StoredClass(tmp_path / "missing")


def test_no_name_leaves_the_class(tmp_path: Path) -> None:
    """Who was graded is in the class, however the table had to write the name."""
    course = small_course(tmp_path / "course")
    for name in HOSTILE_NAMES:
        hand_in(course, name, "fine")
    assert grade(course) == 0
    stored = StoredClass(course / "results")
    assert len(list(stored)) == len(HOSTILE_NAMES)
    assert (stored.left_over, stored.broken) == (0, 0)
