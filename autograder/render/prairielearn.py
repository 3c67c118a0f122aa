"""PrairieLearn's results.json."""

from typing import Any

from autograder.render.wording import statement, verdict
from autograder.report import GRADED, CheckResult, Report, TaskResult
from autograder.text import clean, number, one_line


def to_prairielearn(report: Report) -> dict[str, Any]:
    """Return the report as PrairieLearn reads it; everything in it is for the student.

    What could not be marked, through the file's fault or ours, is not gradable: it costs no attempt. PrairieLearn's
    score ends at 1, so the bonus is said and not counted.
    """
    if report.status != GRADED or report.score is None:
        reason = clean(report.reason or "It could not be marked.")
        return {"gradable": False, "format_errors": [reason], "message": reason}
    bonus = f", and {number(report.bonus)} bonus points" if report.bonus else ""
    return {
        "gradable": True,
        "score": report.score / report.max_score if report.max_score else 0.0,
        "message": f"{number(report.score)} of {number(report.max_score)} points{bonus}.",
        "tests": [_test(task, check) for task in report.tasks for check in task.checks],
    }


def _test(task: TaskResult, check: CheckResult) -> dict[str, Any]:
    available = float(task.points * check.share)
    return {
        "name": one_line(f"{task.title}: {statement(check.title)}"),
        "points": round(available * float(check.earned), 5),
        "max_points": round(available, 5),
        "message": clean(f"{verdict(check)}: {check.message}" if check.message else verdict(check)),
    }
