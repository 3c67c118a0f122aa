"""The matrix of `autograder validate`: tasks across, submissions down; in a terminal, on a pipe, as a page."""

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from autograder.assignment import Task
from autograder.render.html import render_page
from autograder.report import Report, TaskResult
from autograder.text import number

Row = tuple[str, Report, bool]  # a submission's name, its report, and whether there is a fault in it
STYLES = {"full": "dim", "part": "yellow", "nothing": "red", "unmarked": "magenta"}  # for what `_kept` returns


def print_matrix(out: Console, tasks: Sequence[Task], rows: Sequence[Row]) -> None:
    """Print a row a submission: the points of each task, a dot where all were kept."""
    if not out.is_terminal:
        width = max((len(name) for name, _, _ in rows), default=10)
        out.print("  ".join(["submission".ljust(width), *(task.id for task in tasks)]), soft_wrap=True)
        for name, report, fault in rows:
            cells = [_points(task).rjust(len(task.id)) for task in report.tasks]
            out.print("  ".join([name.ljust(width), *cells, *(["FAULT"] if fault else [])]), soft_wrap=True)
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("submission", no_wrap=True)
    for task in tasks:
        table.add_column(task.id.replace("_", " "), justify="right")
    table.add_column("")
    for name, report, fault in rows:
        shown = [Text(_points(task), style=STYLES[_kept(task)]) for task in report.tasks]
        table.add_row(Text(name), *shown, Text("fault", style="bold red") if fault else Text())
    out.print(table)


def to_matrix_page(assignment: str, tasks: Sequence[Task], rows: Sequence[Row]) -> str:
    """Return the matrix as a page."""
    return render_page("matrix", assignment=assignment, tasks=tasks, rows=rows, shown=_points, kept=_kept)


def _points(task: TaskResult) -> str:
    if not task.checks:
        return "?"
    return "·" if task.score == task.points else number(task.score)


def _kept(task: TaskResult) -> str:
    if not task.checks:
        return "unmarked"
    return "full" if task.score == task.points else "part" if task.score else "nothing"
