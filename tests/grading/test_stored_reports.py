"""Stored reports are read again whole, or not at all."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from autograder.assignment import load_assignment
from autograder.errors import UsageError
from autograder.grading.class_report import write_class_report
from autograder.grading.compare import compared
from autograder.grading.job import Marking
from autograder.grading.results_folder import Results
from autograder.grading.stored_reports import StoredClass, read_record, read_report
from autograder.intake.class_folder import Handin
from autograder.platforms.publish import read_stored
from autograder.render.html import to_html
from autograder.report import CheckResult, TaskResult
from autograder.settings import Settings
from autograder.verdict import Status
from tests.fake_class import HOSTILE_NAMES, grade, results_of
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


def test_read_report_gives_the_fractions_and_how_it_was_marked(tmp_path: Path) -> None:
    """Points are rounded in the report; what they were rounded from stands beside it."""
    marking = Marking(load_assignment(small_course(tmp_path / "course")), Settings(), "namespaces", FakeJudge)
    check = CheckResult("c", "A check", Fraction(1), Status.WRONG, Fraction(1, 1237), "Not yet.")
    with Results(tmp_path / "results", marking) as results:
        task = TaskResult("noisy_sample", "A task", 60.0, False, (check,))
        results.write(Handin("ada", None), replace(graded("ada", tasks=(task,)), how={"ema_update": "of before"}))
    report = read_report(results.out, "ada")
    assert report is not None
    assert report.tasks == (task,)
    assert report.how == {**results.how, "ema_update": "of before"}


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
    stored = StoredClass(results_of(course))
    assert len(list(stored)) == len(HOSTILE_NAMES)
    assert (stored.left_over, stored.broken) == (0, 0)


# --- what the version before has stored

SCHEMA_1 = Path(__file__).parent / "schema_1"


def test_a_report_of_schema_1_is_read_whole() -> None:
    """Its marks and what is for staff are as they were; its figures, stored in another form, are not drawn."""
    old = json.loads((SCHEMA_1 / "partly-wrong.json").read_text())
    report = read_report(SCHEMA_1, "partly-wrong")
    assert report is not None
    assert report.to_dict() == old | {"schema": 2}
    assert report.staff["calls_seconds"] == 0.345
    assert report.figures == []
    assert "<figure>" not in to_html(report)


def test_a_class_of_schema_1_is_reported_compared_and_published(tmp_path: Path) -> None:
    """Every reader of stored reports takes it; none of them writes into it."""
    old, new = tmp_path / "old", tmp_path / "new"
    shutil.copytree(SCHEMA_1, old)
    shutil.copytree(SCHEMA_1, new)
    stored = read_report(old, "partly-wrong")
    assert stored is not None
    (new / "partly-wrong.json").write_text(stored.to_json())
    before, after = StoredClass(old), StoredClass(new)
    change = compared(before, after, "partly-wrong")
    assert change is not None
    assert not change.differs
    page, kept = write_class_report(old, None)
    assert [row.score for row in kept.rows] == [84.0]
    assert "partly-wrong" in page.read_text()
    assert [report.score for report in read_stored(old)] == [84.0]
    assert [report.score for report in StoredClass(old)] == [84.0]
