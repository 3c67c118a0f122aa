"""Gradescope's results.json."""

from typing import Any

from autograder.render.wording import NOTICES_SHOWN, note, statement
from autograder.report import GRADED, GRADER_ERROR, CheckResult, Report, TaskResult
from autograder.text import WORDS, clean, number, one_line
from autograder.verdict import Status

VISIBLE = "visible"
LATER = "Your notebook was read and marked. You see the checks and the points when Gradescope shows them."


def to_gradescope(report: Report, visibility: str = VISIBLE) -> dict[str, Any]:
    """Return the report as Gradescope reads it; everything in it is for the student.

    `visibility` is when students see the checks: visible, after_due_date or after_published. What they see before that
    has no points in it, but says of a file that cannot be read why.

    The bonus is extra credit, so it is part of Gradescope's total. After a fault of ours there is no total and no
    score of a test: Gradescope then shows the submission as not graded, where a 0 would be taken for a mark.
    """
    marked = report.status != GRADER_ERROR
    headline = _headline(report) if visibility == VISIBLE or report.status != GRADED else LATER
    tests = [_summary(report, headline)]
    for row, task in enumerate(report.tasks, 1):
        checks = [_test(f"{row}.{n}", task, check) for n, check in enumerate(task.checks, 1)]
        tests += checks if task.checks else [_untested(str(row), task)]
    for test in tests[1:]:
        test["visibility"] = visibility
    results: dict[str, Any] = {
        "output": headline,
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": visibility,
        "stdout_visibility": "hidden",
        "execution_time": round(report.seconds, 2),
        "tests": tests,
        "extra_data": {"schema": 1, "sha256": report.sha256, "isolation": report.isolation},
    }
    if report.checks_readable:
        results["extra_data"]["checks_readable"] = True
    if report.score is not None:
        results["score"] = _rounded(report.score + report.bonus)
    if not marked:
        for test in tests:
            test.pop("score", None)
    return results


def _summary(report: Report, headline: str) -> dict[str, Any]:
    # Worth nothing and always visible: a hidden test would hide the total score from the student.
    notices = [f"Note: {note(n)}" for n in report.warnings[:NOTICES_SHOWN]]
    row = _row("0", "Summary", (0.0, 0.0), report.status == GRADED, "\n".join([headline, *notices]))
    return {**row, "visibility": "visible"}


def _test(place: str, task: TaskResult, check: CheckResult) -> dict[str, Any]:
    available = float(task.points * check.share)
    word = WORDS[check.status]
    row = _row(
        place,
        one_line(f"{task.title}: {statement(check.title)}"),
        (available * float(check.earned), available),
        check.status is Status.PASSED,
        clean(f"{word}: {check.message}" if check.message else word),
    )
    more = {"task": task.id, "check": check.id, "status": check.status.value, "bonus": task.bonus}
    return {**row, "extra_data": more}


def _untested(place: str, task: TaskResult) -> dict[str, Any]:
    row = _row(place, one_line(task.title), (0.0, task.points), False, "not checked")
    return {**row, "extra_data": {"task": task.id, "bonus": task.bonus}}


def _row(place: str, name: str, points: tuple[float, float], passed: bool, output: str) -> dict[str, Any]:
    score, most = map(_rounded, points)
    status = "passed" if passed else "failed"
    return {"name": name, "number": place, "score": score, "max_score": most, "status": status, "output": output}


def _headline(report: Report) -> str:
    if report.score is None:
        return clean(f"Not marked, through no fault of yours: {report.reason}")
    score = f"{number(report.score)} of {number(report.max_score)} points"
    bonus = f", and {number(report.bonus)} bonus points" if report.bonus else ""
    return clean(f"{score}{bonus}." + (f" {report.reason}" if report.reason else ""))


def _rounded(value: float) -> float:
    return round(value, 5)
