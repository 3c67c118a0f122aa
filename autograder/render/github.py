"""Reports for GitHub: the summary of a job, annotations, and the result that GitHub Classroom reads.

All three are read by programs that obey what a line begins with, and all hold students' text. So each text is made
plain and its pairs of colons are parted first; then it is escaped for its place.
"""

import base64
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from autograder.errors import GraderFault
from autograder.render.markdown import code, escaped, to_markdown
from autograder.render.wording import points, statement, verdict
from autograder.report import GRADED, GRADER_ERROR, Report, TaskResult
from autograder.text import clean, for_log, how_many, number, one_line
from autograder.verdict import Status

SUMMARY_BYTES = 1000 * 1024  # GitHub drops the summary of a step that is larger than 1 MiB
ANNOTATIONS = 10  # of each level that GitHub shows of a step
PAYLOAD_TEXT = 400  # letters a check: the whole travels in one environment variable, which Linux ends at 128 KiB
_LEVELS = {Status.NOT_ATTEMPTED: "notice", Status.GRADER_ERROR: "error"}


def to_summary(reports: Sequence[Report], room: int = SUMMARY_BYTES) -> str:
    """Return the summary of a job as Markdown: one report whole, or the table of a class, at most `room` bytes."""
    if len(reports) == 1 and len((text := to_markdown(reports[0])).encode()) <= room:
        return text
    lines = list(_class_head(reports))
    used = sum(len(line.encode()) + 1 for line in lines) + 100
    for place, report in enumerate(reports):
        row = _row(report)
        used += len(row.encode()) + 1
        if used > room:
            lines += ["", f"… and {len(reports) - place} more; the artifact holds all of them."]
            break
        lines.append(row)
    return "\n".join(lines) + "\n"


def to_annotations(reports: Sequence[Report]) -> Iterator[str]:
    """Yield the workflow commands: of one report a line for each lost check, of a class what staff must look at."""
    found = _lost(reports[0]) if len(reports) == 1 else _to_look_at(reports)
    shown: Counter[str] = Counter()
    for level, title, message, file in found:
        shown[level] += 1
        if shown[level] <= ANNOTATIONS:
            yield command(level, message, {"file": file, "title": title})


def command(level: str, message: str, properties: dict[str, str]) -> str:
    """Return a workflow command; whatever the texts hold, it is one command on one line."""
    given = [f"{name}={_property(one_line(value))}" for name, value in properties.items() if value]
    return f"::{level} {','.join(given)}::{_data(clean(message))}"


def to_classroom(report: Report) -> dict[str, Any]:
    """Return what GitHub Classroom's reporter reads of a grading step.

    Its total is the sum of the tests' scores, so the bonus is extra credit. It prints names and messages as they are,
    and would show students `test_code`, which is empty. Raises GraderFault for our own fault: it knows no report
    without a score, and a 0 would be a mark.
    """
    if report.score is None:
        raise GraderFault(f"there is no mark for {one_line(report.student)} to report: {clean(report.reason or '')}")
    tests = [test for task in report.tasks for test in _classroom_tests(task)]
    if report.status != GRADED:
        tests = [_entry("submission", False, 0.0, report.reason or "")]
    whole = all(test["status"] == "pass" for test in tests) and report.score >= report.max_score
    return {"version": 1, "status": "pass" if whole else "fail", "max_score": report.max_score, "tests": tests}


def encoded(payload: dict[str, Any]) -> str:
    """Return a payload as a step hands it on: JSON in base64."""
    return base64.b64encode(json.dumps(payload).encode()).decode()


def _class_head(reports: Sequence[Report]) -> Iterator[str]:
    scores = sorted(report.score for report in reports if report.score is not None)
    counts = Counter(report.status.replace("_", " ") for report in reports)
    name = reports[0].assignment if reports else "no report"
    yield f"## {escaped(one_line(name))}: {how_many(len(reports), 'student')}"
    yield ""
    yield "**" + ", ".join(f"{count} {escaped(status)}" for status, count in counts.most_common()) + "**"
    if scores:
        middle = (scores[(len(scores) - 1) // 2] + scores[len(scores) // 2]) / 2
        yield ""
        ends = f"from {number(scores[0])} to {number(scores[-1])}"
        yield f"Median {number(middle)} of {number(reports[0].max_score)} points, {ends}"
    yield ""
    yield "| Student | Score | Bonus | Status | Lost points in |"
    yield "| --- | ---: | ---: | --- | --- |"


def _row(report: Report) -> str:
    score = "–" if report.score is None else f"{number(report.score)} / {number(report.max_score)}"
    lost = [task.title for task in report.tasks if task.checks and task.score < task.points and not task.bonus]
    titles = escaped(one_line(", ".join(lost)))
    cells = (code(report.student), score, number(report.bonus), report.status.replace("_", " "), titles)
    return "| " + " | ".join(cells) + " |"


def _lost(report: Report) -> Iterator[tuple[str, str, str, str]]:
    if report.status != GRADED:
        level = "error" if report.status == GRADER_ERROR else "warning"
        yield level, report.status.replace("_", " "), report.reason or "", report.file
    for task in report.tasks:
        for check in task.failed:
            title = f"{task.title}: {statement(check.title)} ({verdict(check)}, {points(task, check)})"
            yield _LEVELS.get(check.status, "warning"), title, check.message or check.title, report.file


def _to_look_at(reports: Iterable[Report]) -> Iterator[tuple[str, str, str, str]]:
    for report in reports:
        if report.status != GRADED:
            level = "error" if report.status == GRADER_ERROR else "warning"
            title = f"{one_line(report.student, 80)}: {report.status.replace('_', ' ')}"
            yield level, title, report.reason or "", ""


def _classroom_tests(task: TaskResult) -> Iterator[dict[str, Any]]:
    if task.override is not None:  # a person decided on the task as a whole
        yield _entry(task.title, task.score >= task.points, task.score, task.override.reason)
        return
    for check in task.checks:
        earned = float(task.points * check.share) * float(check.earned)
        passed = check.status is Status.PASSED and check.earned == 1
        yield _entry(f"{task.title}: {statement(check.title)}", passed, earned, check.message)


def _entry(title: str, passed: bool, score: float, message: str) -> dict[str, Any]:
    return {
        "name": for_log(one_line(title)),
        "status": "pass" if passed else "fail",
        "score": round(score, 5),
        "message": for_log(clean(message, PAYLOAD_TEXT)),
        "test_code": "",
        "filename": "",
        "line_no": 0,
    }


def _data(text: str) -> str:
    return for_log(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
