"""What a report adds up to, and its JSON."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest

from autograder.assignment import load_assignment
from autograder.report import GRADER_ERROR, UNREADABLE, CheckResult, Report, TaskResult, unmarked
from autograder.verdict import Status
from tests.fake_judge import small_course
from tests.sample_reports import EMPTY, HOSTILE, graded, hostile

REPORT_KEYS = [
    "schema", "assignment", "student", "status", "reason", "score", "max_score", "bonus", "isolation", "seconds",
    "submission", "versions", "warnings", "tasks",
]  # fmt: skip
CHECK_KEYS = {"id", "title", "score", "max_score", "status", "message", "misconception"}


def thirds(points: float, passed: int, bonus: bool = False) -> TaskResult:
    """Return a task of three equal checks of which so many hold."""
    checks = tuple(CheckResult(f"c{n}", "c", Fraction(1, 3), Status.PASSED, Fraction(n < passed)) for n in range(3))
    return TaskResult("t", "T", points, bonus, checks)


def test_task_score_of_thirds_is_whole() -> None:
    """Shares are exact, so three thirds of ten points are ten, and two of twenty-four are sixteen."""
    assert thirds(10.0, 3).score == 10.0
    assert thirds(24.0, 2).score == 16.0


def test_report_sums_leave_the_bonus_apart() -> None:
    """The bonus counts neither in score nor in max_score."""
    report = graded(tasks=(thirds(10.0, 3), thirds(90.0, 0), thirds(10.0, 3, bonus=True)))
    assert (report.score, report.max_score, report.bonus) == (10.0, 100.0, 10.0)


def test_to_dict_has_the_keys_of_the_contract() -> None:
    """Names and order of the JSON report are those that others rely on."""
    report = graded().to_dict()
    assert list(report) == REPORT_KEYS
    assert list(report["submission"]) == ["file", "sha256"]
    assert all(set(check) == CHECK_KEYS for task in report["tasks"] for check in task["checks"])
    assert report["seconds"] == 3.14
    assert "staff" not in json.dumps(report)


def test_to_dict_tells_when_checks_were_readable() -> None:
    """The flag stands in the report when it is true, and only then."""
    assert graded(checks_readable=True).to_dict()["checks_readable"] is True
    assert "checks_readable" not in graded().to_dict()


def test_to_json_is_ascii_and_keeps_every_text() -> None:
    """Whatever the text holds the document is ASCII, parses back to the same, and no CI system obeys a part of it."""
    text = hostile().to_json()
    assert text.isascii()
    assert text.endswith("}\n")
    assert "##[" not in text
    assert "##vso[" not in text
    assert not any(line.lstrip().startswith("::") for line in text.splitlines())
    assert json.loads(text)["student"] == HOSTILE
    assert json.loads(text) == hostile().to_dict()


def test_to_json_refuses_a_number_that_is_no_mark() -> None:
    """NaN is an error, never a score."""
    with pytest.raises(ValueError, match="not JSON compliant"):
        graded(seconds=float("nan")).to_json()


def partly(points: float, status: Status, earned: str) -> TaskResult:
    """Return a task of sevenths, the last of which earned a part."""
    whole = tuple(CheckResult(f"c{n}", "c", Fraction(1, 7), Status.PASSED, Fraction(1)) for n in range(6))
    part = CheckResult("c6", "c", Fraction(1, 7), status, Fraction(earned), "m", "swapped_weights")
    return TaskResult("t", "T", points, False, (*whole, part))


STORED = {
    "ordinary": graded(),
    "hostile": hostile(),
    "thirds": graded(tasks=(thirds(10.0, 2), thirds(24.0, 3), thirds(7.5, 1, bonus=True))),
    "sevenths": graded(tasks=(partly(24.0, Status.WRONG, "1/2"), partly(0.5, Status.MEMORY, "2/3"))),
    "odd part": graded(tasks=(partly(60.0, Status.WRONG, "0.123456789"),)),
    "no points": graded(tasks=(thirds(0.0, 2), partly(0.0, Status.PASSED, "1"))),
    "readable checks": graded(checks_readable=True, isolation="process"),
    "unreadable": unmarked(EMPTY, "ada", UNREADABLE, "because"),
    "our fault": graded(status=GRADER_ERROR, reason="because", warnings=()),
}


@pytest.mark.parametrize("report", STORED.values(), ids=STORED)
def test_from_dict_gives_the_same_report_back(report: Report) -> None:
    """What a file holds becomes the report that wrote it: the same JSON, sums and verdicts."""
    stored = json.loads(report.to_json())
    again = Report.from_dict(stored, staff={"fault": "x"})
    assert again.to_json() == report.to_json()
    assert again.staff == {"fault": "x"}
    assert [task.score for task in again.tasks] == [task.score for task in report.tasks]
    assert [check.status for task in again.tasks for check in task.failed] == [
        check.status for task in report.tasks for check in task.failed
    ]


def test_from_dict_finds_the_exact_shares() -> None:
    """Thirds and sevenths come back as such, so that points still add up to whole ones."""
    for report in (STORED["thirds"], STORED["sevenths"]):
        assert Report.from_dict(report.to_dict()).tasks == report.tasks


ODD = graded(tasks=(partly(24.0, Status.WRONG, "123456789/987654321"),))


def test_from_dict_keeps_fractions_that_rounded_points_do_not_tell() -> None:
    """Where they were stored; a report that an earlier version stored has the simplest that round to its points."""
    assert Report.from_dict(ODD.to_dict(), ODD.exact()).tasks == ODD.tasks
    assert Report.from_dict(ODD.to_dict()).tasks != ODD.tasks
    assert Report.from_dict(ODD.to_dict()).to_dict() == ODD.to_dict()


@pytest.mark.parametrize("exact", [[["1", "1"]] * 7, [["1/7", "1/0"]] * 7, 7])
def test_from_dict_refuses_fractions_of_another_report(exact: object) -> None:
    """What they come to must be the points that stand in the report."""
    with pytest.raises(ValueError, match="not a stored report"):
        Report.from_dict(ODD.to_dict(), {"t": exact})


@pytest.mark.parametrize(
    "change",
    [
        {"schema": 3},
        {"score": 100.0},
        {"tasks": None},
        {"tasks": [{"id": "t"}]},
        {"warnings": [{"code": "c"}]},
        {"status": "passed", "score": None},
        {"more": 1},
    ],
)
def test_from_dict_refuses_what_no_report_wrote(change: dict[str, object]) -> None:
    """A damaged, changed or newer file is no report, and is never repaired into one."""
    with pytest.raises(ValueError, match="not a stored report"):
        Report.from_dict(graded().to_dict() | change)
    with pytest.raises(ValueError, match="not a stored report"):
        Report.from_dict({})


@pytest.mark.parametrize(("status", "score"), [(UNREADABLE, 0.0), (GRADER_ERROR, None)])
def test_unmarked_has_every_task_and_the_reason(tmp_path: Path, status: str, score: float | None) -> None:
    """What could not be marked scores 0 when it is the file's fault, null when it is ours."""
    assignment = load_assignment(small_course(tmp_path))
    report: Report = unmarked(assignment, "ada", status, "because", file="x.ipynb")
    assert (report.score, report.max_score, report.bonus) == (score, 100.0, 0.0)
    assert [task.id for task in report.tasks] == [task.id for task in assignment.tasks]
    assert report.to_dict()["reason"] == "because"
    assert report.file == "x.ipynb"
