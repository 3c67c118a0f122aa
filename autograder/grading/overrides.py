"""What a person decided about a mark, kept in overrides.csv of the course folder.

A row is a decision: these points for this task of this student, and why. Rows are only ever added; of several about
one task the last one holds, and one without points takes the earlier ones back. They are applied to a report after the
checks, in every command, so they hold however often and by whatever version the submission is marked again.
"""

import csv
import datetime
import getpass
import io
import math
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from autograder.assignment import Assignment, Task
from autograder.course import assignment_names
from autograder.errors import UsageError
from autograder.report import GRADER_ERROR, Decision, Notice, Report, TaskResult
from autograder.system.files import SPREADSHEET, read_text, write_atomically
from autograder.text import number

FILE = "overrides.csv"
COLUMNS = ("when", "by", "assignment", "student", "task", "points", "reason")
OLD_COLUMNS = tuple(name for name in COLUMNS if name != "assignment")  # of a course's only assignment
CODE = "override"  # of the notice in the report


class Overrides:
    """The decisions that hold in a course."""

    def __init__(self, decisions: dict[tuple[str, str], Decision]) -> None:
        self._decisions = decisions

    def apply(self, report: Report) -> Report:
        """Return the report as these decisions have it, whatever decisions it held before.

        Nothing is decided about a submission that the grader itself failed on: it has no mark yet.
        """
        if report.status == GRADER_ERROR:
            return report
        tasks = tuple(replace(task, override=self._decisions.get((report.student, task.id))) for task in report.tasks)
        notices = tuple(_notice(task, task.override) for task in tasks if task.override is not None)
        others = tuple(notice for notice in report.warnings if notice.code != CODE)
        return replace(report, tasks=tasks, warnings=(*notices, *others))


def load_overrides(assignment: Assignment) -> Overrides:
    """Return the decisions about an assignment; no file means none.

    Raises UsageError for a row that is not one: a mark is never guessed.
    """
    decisions: dict[tuple[str, str], Decision] = {}
    for number_, row in enumerate(_rows(assignment.course), 2):
        if row["assignment"] != assignment.name:
            continue
        where = f"{assignment.course / FILE}, line {number_}"
        task = assignment.task(row["task"], f"{where}: ")
        key = row["student"], task.id
        if row["points"].strip():
            decisions[key] = Decision(_points(row["points"], task, where), row["reason"].strip())
        else:
            decisions.pop(key, None)
    return Overrides(decisions)


def override_command(assignment: Assignment, student: str, task_id: str, points: float | None, reason: str) -> str:
    """Add a decision to overrides.csv and return a sentence about it; points None takes earlier ones back.

    Raises UsageError for an impossible one.
    """
    task = assignment.task(task_id, "override: ")
    if points is not None:
        _points(str(points), task, "override")
    if not reason.strip():
        raise UsageError("override: a decision needs a reason, which the student will read")
    load_overrides(assignment)  # nothing is added to a file that cannot be read
    path = assignment.course / FILE
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    shown = "" if points is None else number(points)
    decision = (now, _user(), assignment.name, student, task.id, shown, reason.strip())
    _write(path, [*_rows(assignment.course), dict(zip(COLUMNS, decision, strict=True))])
    held = "the checks decide again" if points is None else f"{shown} of {number(task.points)} points"
    return f"{student}, {task.id}: {held}, at the next `autograder grade` or `nbgrader autograde`."


def _rows(course: Path) -> list[dict[str, str]]:
    """Return the rows of a course's file, each with the name of its assignment.

    Raises UsageError for a row that names none unless the course has only one, and for one that names an unknown one.
    """
    path, names = course / FILE, assignment_names(course)
    text = read_text(path, SPREADSHEET, missing=",".join(COLUMNS))
    try:
        table = csv.DictReader(io.StringIO(text, newline=""))
        columns = tuple(table.fieldnames or ())
        if columns not in (COLUMNS, OLD_COLUMNS):
            raise UsageError(f"{path}: expected the columns {','.join(COLUMNS)}")
        rows = list(table)
    except csv.Error as error:
        raise UsageError(f"{path} cannot be read: {error}") from None
    for line, row in enumerate(rows, 2):
        if set(row) != set(columns) or any(value is None for value in row.values()):
            raise UsageError(f"{path}, line {line}: expected {len(columns)} fields: {','.join(columns)}")
        row["assignment"] = row.get("assignment", "").strip() or (names[0] if len(names) == 1 else "")
        if row["assignment"] not in names:
            what = f"there is no assignment '{row['assignment']}'" if row["assignment"] else "it names no assignment"
            raise UsageError(f"{path}, line {line}: {what}; the course has {', '.join(names)}: fill in that column")
    return rows


def _write(path: Path, rows: Iterable[dict[str, str]]) -> None:
    file = io.StringIO()
    table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    write_atomically(path, file.getvalue())


def _points(text: str, task: Task, where: str) -> float:
    try:
        points = float(text)
    except ValueError:
        points = math.nan
    if not 0 <= points <= task.points:  # false for NaN, too
        raise UsageError(f"{where}: the points of {task.id} must lie between 0 and {number(task.points)}, not {text}")
    return points


def _notice(task: TaskResult, decision: Decision) -> Notice:
    points = f"{number(decision.score)} of {number(task.points)} points"
    return Notice(CODE, f"{task.title}: the course staff decided on {points}. {decision.reason}", f"test_{task.id}")


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        return ""
