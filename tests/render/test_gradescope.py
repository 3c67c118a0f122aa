"""Gradescope's results.json: right totals, everything visible, nothing but plain text."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import jsonschema
import pytest

from autograder.render.gradescope import to_gradescope
from autograder.report import GRADER_ERROR, UNREADABLE, CheckResult, Report, TaskResult, json_text
from autograder.verdict import Status
from tests.sample_reports import graded, hostile, is_plain

SCHEMA = json.loads((Path(__file__).parents[1] / "schemas" / "gradescope.json").read_text())


def test_to_gradescope_adds_the_bonus_as_extra_credit() -> None:
    """Gradescope's total is the score with the bonus; its tests are the checks, in order."""
    tasks = (
        TaskResult("a", "A", 100.0, False, (CheckResult("v", "v", Fraction(1), Status.PASSED, Fraction(1)),)),
        TaskResult("b", "B", 10.0, True, (CheckResult("v", "v", Fraction(1), Status.PASSED, Fraction(1)),)),
    )
    results = to_gradescope(graded(tasks=tasks))
    assert results["score"] == 110.0
    assert [(test["number"], test["score"], test["max_score"]) for test in results["tests"]] == [
        ("0", 0.0, 0.0), ("1.1", 100.0, 100.0), ("2.1", 10.0, 10.0),
    ]  # fmt: skip


def test_to_gradescope_hides_nothing() -> None:
    """One hidden test would hide the total from the student; every text is plain text."""
    results = to_gradescope(graded())
    assert {test["visibility"] for test in results["tests"]} == {"visible"}
    assert results["stdout_visibility"] == "hidden"
    assert all(test["status"] in ("passed", "failed") for test in results["tests"])
    assert results["output_format"] == results["test_output_format"] == results["test_name_format"] == "text"
    assert sum(test["score"] for test in results["tests"]) == results["score"] == 22.0


def test_to_gradescope_of_our_fault_has_no_score_at_all() -> None:
    """Then Gradescope shows that the autograder failed, where a 0 would be a mark."""
    results = to_gradescope(graded(status=GRADER_ERROR, reason="The grader failed."))
    assert "score" not in results
    assert not any("score" in test for test in results["tests"])


def test_to_gradescope_of_an_unreadable_file_is_zero_with_the_reason() -> None:
    """The student reads why."""
    tasks = (TaskResult("a", "A", 100.0, False, ()),)
    results = to_gradescope(graded(status=UNREADABLE, reason="The file ends at byte 7.", tasks=tasks))
    assert results["score"] == 0.0
    assert "byte 7" in results["output"]
    assert results["tests"][1]["max_score"] == 100.0


def test_to_gradescope_of_hostile_text_is_plain_and_bounded() -> None:
    """No NUL and no codes, and within what a browser shows."""
    results = to_gradescope(hostile())
    texts = [str(test[key]) for test in results["tests"] for key in ("name", "output")]
    assert all(is_plain(text) for text in [*texts, results["output"]])
    assert len(json.dumps(results)) < 200_000


@pytest.mark.parametrize("report", [graded(), hostile(), graded(status=UNREADABLE, reason="x", tasks=())])
@pytest.mark.parametrize("visibility", ["visible", "after_due_date", "after_published"])
def test_to_gradescope_is_valid(report: Report, visibility: str) -> None:
    """Whatever the report, the document is one by Gradescope's specification."""
    jsonschema.validate(json.loads(json_text(to_gradescope(report, visibility))), SCHEMA)


def test_to_gradescope_tells_no_points_before_their_time() -> None:
    """With after_published, what is visible at once says that the file was read, and why one could not be."""
    results = to_gradescope(graded(), "after_published")
    early, *later = results["tests"]
    assert early["visibility"] == "visible"
    assert {test["visibility"] for test in later} == {results["visibility"]} == {"after_published"}
    assert "22" not in results["output"] + early["output"]
    broken = to_gradescope(graded(status=UNREADABLE, reason="It ends at byte 7.", tasks=()), "after_published")
    assert "byte 7" in broken["output"]
