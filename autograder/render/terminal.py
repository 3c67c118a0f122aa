"""A report and a class as tables in a terminal; plain text on a pipe."""

import os
import sys
from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from autograder.render.wording import NOTICES_SHOWN, SIGNS, is_repeat, kind, note, points, statement, verdict
from autograder.report import GRADED, CheckResult, Report, TaskResult
from autograder.text import WORDS, clean, for_log, number, one_line
from autograder.verdict import Status

CLASS_ROWS = 60  # of a larger class, index.html shows the rest
_STYLES = {Status.PASSED: "green", Status.NOT_ATTEMPTED: "dim", Status.GRADER_ERROR: "magenta"}


class _Screen(Console):
    """A console whose reader may leave (`| head`): what was marked and its exit code stay what they are."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        forget_stdout()


def forget_stdout() -> None:
    """Let what is printed from now on go nowhere, so that closing stdout does not fail once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def console(*, to_stderr: bool = False) -> Console:
    """Return a console that shows text as it is: no markup, no emoji codes, no colours on a pipe."""
    return _Screen(stderr=to_stderr, markup=False, emoji=False, highlight=False)


def report_table(report: Report) -> RenderableType:
    """Return tasks and checks with their scores, a sentence for each lost point, and what was measured."""
    table = Table(box=box.SIMPLE_HEAD, show_footer=True, pad_edge=False)
    total = "not marked" if report.score is None else _of(report.score, report.max_score)
    table.add_column("task", footer=f"total{_bonus(report)}")
    table.add_column("score", justify="right", footer=total, no_wrap=True)
    table.add_column("verdict", footer=_text(report.status.replace("_", " ")))
    for task in report.tasks:
        known = task.checks and report.score is not None
        score = _of(task.score, task.points) if known else f"– / {number(task.points)}"
        table.add_row(Text(_line(task.title), "bold"), score, _verdict(task))
        for check in task.checks:
            title = Padding(_text(f"{SIGNS[kind(check)]} {statement(check.title)}"), (0, 0, 0, 2))
            style = _STYLES.get(check.status, "red")
            table.add_row(title, Text(points(task, check), "dim"), Text(verdict(check), style))
    parts: list[RenderableType] = [Text(_line(f"{report.assignment}: {one_line(report.student)}"), "bold")]
    if report.reason:
        parts.append(_message(report.reason))
    parts.append(table)
    parts += [_lost(task, check) for task in report.tasks for check in task.failed]
    parts += [_message(figure["words"]) for figure in report.figures if figure["words"]]
    parts += [_message(f"note: {note(w)}", "yellow") for w in report.warnings[:NOTICES_SHOWN]]
    if report.checks_readable:
        parts.append(_message("note: on this machine the checks were readable to the submission", "yellow"))
    return Group(*parts)


def class_table(rows: Iterable[Sequence[str]], total: int) -> RenderableType:
    """Return students with score and status; `rows` are (student, score, bonus, status) of the first students."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("student")
    table.add_column("score", justify="right", no_wrap=True)
    table.add_column("bonus", justify="right", no_wrap=True)
    table.add_column("status")
    for student, score, bonus, status in rows:
        style = "" if status == GRADED else "yellow" if status == "unreadable" else "magenta"
        table.add_row(_text(student), score, bonus, Text(status.replace("_", " "), style))
    if table.row_count < total:
        return Group(table, Text(f"… and {total - table.row_count} more"))
    return table


def changes_table(rows: Iterable[Sequence[str]]) -> RenderableType:
    """Return whose marks changed; `rows` are (student, old, new, difference, reasons), a reason a line."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("student")
    for name in ("old", "new", "change"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("why")
    for student, old, new, change, why in rows:
        style = "green" if change.startswith("+") else "red" if change.startswith("-") else ""
        table.add_row(_text(student), old, new, Text(change, style), _message(why))
    return table


def _lost(task: TaskResult, check: CheckResult) -> RenderableType:
    lost = number(float(task.points * check.share * (1 - check.earned)))
    what = "withheld" if check.status is Status.GRADER_ERROR else "not earned" if task.bonus else "lost"
    unit = "point" if lost == "1" else "points"
    head = _line(f"{task.title} – {statement(check.title)}: {WORDS[check.status]}, {lost} {unit} {what}")
    body = _message("As above." if is_repeat(task, check) else check.message)
    return Group(Text(head, _STYLES.get(check.status, "red")), Padding(body, (0, 0, 0, 2)))


def _verdict(task: TaskResult) -> Text:
    if not task.checks:
        return Text("not checked", "dim")
    if not task.failed:
        return Text("all checks hold", "green")
    words = dict.fromkeys(WORDS[check.status] for check in task.failed)
    style = _STYLES.get(task.failed[0].status, "red") if len(words) == 1 else "red"
    return Text(", ".join(words), style)


def _bonus(report: Report) -> str:
    return f", and {number(report.bonus)} of bonus" if report.bonus else ""


def _of(score: float, points: float) -> str:
    return f"{number(score)} / {number(points)}"


def _line(text: str) -> str:
    return for_log(one_line(text))


def _text(text: str) -> Text:
    return Text(_line(text))


def _message(text: str, style: str = "") -> Text:
    return Text(for_log(clean(text)), style)
