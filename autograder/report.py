"""What came of a submission, as data; the JSON that CONTRACT fixes is made here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from autograder.assignment import Assignment
from autograder.verdict import Notice as Notice
from autograder.verdict import Status

SCHEMA, READABLE = 2, (1, 2)  # of 1 the figures were stored in another form, and are not drawn
GRADED, UNREADABLE, GRADER_ERROR = "graded", "unreadable", "grader_error"


@dataclass(frozen=True)
class CheckResult:
    """The verdict on one check. `share` is its part of the task's points; shares of a task add up to 1."""

    id: str
    title: str
    share: Fraction
    status: Status
    earned: Fraction  # 0 to 1, of the check's own points
    message: str = ""
    misconception: str | None = None


@dataclass(frozen=True)
class Decision:
    """The points that a person gave a task in place of the checks."""

    score: float
    reason: str


@dataclass(frozen=True)
class TaskResult:
    """The checks of one task."""

    id: str
    title: str
    points: float
    bonus: bool
    checks: tuple[CheckResult, ...]
    override: Decision | None = None

    @property
    def score(self) -> float:
        """The points earned, exact until the last rounding (thirds of a point add up to whole points)."""
        if self.override is not None:
            return _points(self.override.score)
        earned = sum((check.share * check.earned for check in self.checks), Fraction(0))
        return _points(Fraction(self.points) * earned)

    @property
    def failed(self) -> tuple[CheckResult, ...]:
        """The checks that did not hold."""
        return tuple(check for check in self.checks if check.status is not Status.PASSED)


@dataclass(frozen=True)
class Report:
    """Everything the student may read about one submission."""

    assignment: str
    student: str
    status: str  # GRADED | UNREADABLE | GRADER_ERROR
    reason: str | None
    tasks: tuple[TaskResult, ...]
    isolation: str
    seconds: float
    file: str
    sha256: str
    versions: dict[str, str]
    warnings: tuple[Notice, ...] = ()
    checks_readable: bool = False  # True only under `--isolation process` where no wall hides the checks
    staff: dict[str, Any] = field(default_factory=dict)  # for OUT/staff/STUDENT.json, never in the report
    figures: list[dict[str, Any]] = field(default_factory=list)  # render.drawing.Figure as JSON; stored beside `staff`
    how: dict[str, str] = field(default_factory=dict)  # of a stored report, what decided its marks (provenance.py)

    @property
    def score(self) -> float | None:
        """Points without the bonus; None when the grader itself failed."""
        if self.status == GRADER_ERROR:
            return None
        return _points(sum(task.score for task in self.tasks if not task.bonus))

    @property
    def bonus(self) -> float:
        """Points of bonus tasks, which count in no other sum."""
        return _points(sum(task.score for task in self.tasks if task.bonus))

    @property
    def max_score(self) -> float:
        """What a full answer earns, the bonus apart."""
        return _points(sum(task.points for task in self.tasks if not task.bonus))

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON report of CONTRACT.md."""
        report: dict[str, Any] = {
            "schema": SCHEMA,
            "assignment": self.assignment,
            "student": self.student,
            "status": self.status,
            "reason": self.reason,
            "score": self.score,
            "max_score": self.max_score,
            "bonus": self.bonus,
            "isolation": self.isolation,
            "seconds": round(self.seconds, 2),
            "submission": {"file": self.file, "sha256": self.sha256},
            "versions": dict(self.versions),
            "warnings": [{"code": each.code, "cell": each.cell, "message": each.message} for each in self.warnings],
            "tasks": [_task_dict(task) for task in self.tasks],
        }
        if self.checks_readable:
            report["checks_readable"] = True
        return report

    def to_json(self) -> str:
        """Return the report as the text of OUT/STUDENT.json.

        Raises ValueError for NaN or infinity: no such number is ever a mark.
        """
        return json_text(self.to_dict())

    def exact(self) -> dict[str, list[list[str]]]:
        """Return what `to_dict` rounds to points: of each check its share of the task, and what it has earned."""
        return {task.id: [[str(check.share), str(check.earned)] for check in task.checks] for task in self.tasks}

    @classmethod
    def from_dict(cls, value: dict[str, Any], exact: dict[str, Any] | None = None, **known: Any) -> Report:
        """Return the report whose `to_dict()` is `value`; `known` holds what the JSON does not: staff, figures, how.

        Where `exact` is not known, as it is not of a report that an earlier version stored, fractions are found again.

        Raises ValueError for anything that `to_dict` does not make: a report is never repaired. One of schema 1 has the
        same fields.
        """
        try:
            report = _report(value, exact or {}, known)
            same = value["schema"] in READABLE and report.to_dict() == value | {"schema": SCHEMA}
        except KeyError as error:
            raise ValueError(f"not a stored report: it has no {error}") from None
        except (AttributeError, TypeError, ZeroDivisionError):
            raise ValueError("not a stored report: a part of it is of the wrong kind") from None
        if not same:
            raise ValueError("not a stored report: its parts do not add up to it")
        return report


def in_order(notices: Iterable[Notice]) -> list[Notice]:
    """Return notices in an order that does not tell when they came."""
    return sorted(notices, key=lambda notice: (notice.code, notice.cell, notice.message))


def json_text(value: dict[str, Any]) -> str:
    """Return a JSON document, in ASCII, that is safe in the log of a CI system too (`--json -`)."""
    text = json.dumps(value, indent=2, ensure_ascii=True, allow_nan=False)
    # GitHub obeys `##[` and Azure `##vso[` in the middle of a line; JSON may write the second # otherwise.
    return text.replace("##", "#\\u0023") + "\n"


def unmarked(assignment: Assignment, student: str, status: str, reason: str, **known: Any) -> Report:
    """Return the report of a submission that could not be marked: UNREADABLE or GRADER_ERROR.

    `known` holds the fields of Report that are known all the same: file, sha256, isolation, staff.
    """
    rows = tuple(TaskResult(task.id, task.title, task.points, task.bonus, ()) for task in assignment.tasks)
    unknown: dict[str, Any] = {"isolation": "namespaces", "seconds": 0.0, "file": "", "sha256": "", "versions": {}}
    return Report(assignment.name, student, status, reason, rows, **(unknown | known))


def _points(value: float | Fraction) -> float:
    return round(float(value), 6)


def _task_dict(task: TaskResult) -> dict[str, Any]:
    points = Fraction(task.points)
    given = task.override
    return {
        "id": task.id,
        "title": task.title,
        "bonus": task.bonus,
        "score": task.score,
        "max_score": _points(task.points),
        "checks": [
            {
                "id": check.id,
                "title": check.title,
                "score": _points(points * check.share * check.earned),
                "max_score": _points(points * check.share),
                "status": check.status.value,
                "message": check.message,
                "misconception": check.misconception,
            }
            for check in task.checks
        ],
        **({"override": {"score": _points(given.score), "reason": given.reason}} if given is not None else {}),
    }


def _report(value: dict[str, Any], exact: dict[str, Any], known: dict[str, Any]) -> Report:
    return Report(
        assignment=value["assignment"],
        student=value["student"],
        status=value["status"],
        reason=value["reason"],
        tasks=tuple(_task(task, exact.get(task["id"])) for task in value["tasks"]),
        isolation=value["isolation"],
        seconds=value["seconds"],
        file=value["submission"]["file"],
        sha256=value["submission"]["sha256"],
        versions=dict(value["versions"]),
        warnings=tuple(Notice(**warning) for warning in value["warnings"]),
        checks_readable=value.get("checks_readable", False),
        **known,
    )


def _task(value: dict[str, Any], exact: list[list[str]] | None) -> TaskResult:
    checks = value["checks"]
    parts = [(Fraction(share), Fraction(earned)) for share, earned in exact] if exact else _parts(value)
    results = tuple(_check(check, *part) for check, part in zip(checks, parts, strict=True))
    given = value.get("override")
    override = Decision(given["score"], given["reason"]) if given is not None else None
    return TaskResult(value["id"], value["title"], value["max_score"], value["bonus"], results, override)


def _check(value: dict[str, Any], share: Fraction, earned: Fraction) -> CheckResult:
    status, message = Status(value["status"]), value["message"]
    return CheckResult(value["id"], value["title"], share, status, earned, message, value["misconception"])


def _parts(task: dict[str, Any]) -> Iterator[tuple[Fraction, Fraction]]:
    """Yield each check's share of a task and what it has earned, as far as rounded points tell."""
    points, checks = Fraction(task["max_score"]), task["checks"]
    for check in checks:
        # A task of no points shows no share; any will do that adds up to 1.
        share = _part(check["max_score"], points, Fraction(1, len(checks)))
        yield share, _part(check["score"], points * share, Fraction(check["status"] == Status.PASSED.value))


def _part(rounded: float, whole: Fraction, otherwise: Fraction) -> Fraction:
    """Return the part of `whole` that was rounded for the JSON: the simplest fraction that rounds to the same."""
    if whole == 0:
        return otherwise
    exact = Fraction(str(rounded)) / whole
    for denominator in range(1, 1000):  # shares are weights of a few checks
        part = Fraction(round(exact * denominator), denominator)
        if _points(part * whole) == rounded:
            return part
    return exact
