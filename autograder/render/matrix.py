"""The matrix of `autograder validate`: tasks across, submissions down; in a terminal, on a pipe, as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from autograder.assignment import Task
from autograder.report import Report, TaskResult
from autograder.text import number

Row = tuple[str, Report, bool]  # a submission's name, its report, and whether there is a fault in it

# Okabe and Ito's colours, which colour-blind readers tell apart; what is lost is darker as well.
FULL, PART, NOTHING, UNMARKED = "#D9E8F3", "#E69F00", "#A33C00", "#000000"
STYLES = {FULL: "dim", PART: "yellow", NOTHING: "red", UNMARKED: "magenta"}  # the same in a terminal
LEGEND = {FULL: "all points", PART: "some lost", NOTHING: "none kept", UNMARKED: "not marked"}
COLUMN_ROWS = 62  # rows of one column of the picture


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
        shown = [Text(_points(task), style=STYLES[_colour(task)]) for task in report.tasks]
        table.add_row(Text(name), *shown, Text("fault", style="bold red") if fault else Text())
    out.print(table)


def draw_matrix(rows: Sequence[Row], path: Path) -> None:
    """Save the matrix as a picture, in as many columns as it needs; faults are marked with a cross."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    groups = [rows[start : start + COLUMN_ROWS] for start in range(0, len(rows), COLUMN_ROWS)]
    height = 1.9 + 0.16 * min(COLUMN_ROWS, len(rows))
    figure = Figure(figsize=(3.9 * max(2, len(groups)), height), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, len(groups), squeeze=False)[0]
    for axis, group in zip(axes, groups, strict=True):
        _draw_column(axis, group)
    handles = [Patch(facecolor=colour, edgecolor="#888888", label=label) for colour, label in LEGEND.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), fontsize=9, frameon=False)
    figure.suptitle("autograder validate: what each submission loses, task by task", fontsize=11)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=80, metadata={"Software": None})


def _draw_column(axis: Any, rows: Sequence[Row]) -> None:
    from matplotlib.patches import Rectangle

    tasks = [task.id for task in rows[0][1].tasks]
    for y, (_, report, fault) in enumerate(rows):
        for x, task in enumerate(report.tasks):
            axis.add_patch(
                Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=_colour(task), edgecolor="white", linewidth=0.8)
            )
        if fault:
            axis.plot(len(tasks), y, "x", color="black", markersize=5, clip_on=False)
    axis.set(xlim=(-0.5, len(tasks) - 0.5), ylim=(COLUMN_ROWS - 0.5 if len(rows) > 8 else len(rows) - 0.5, -0.5))
    axis.xaxis.tick_top()
    axis.set_xticks(range(len(tasks)), [task.replace("_", " ") for task in tasks], rotation=60, ha="left", fontsize=6)
    axis.set_yticks(range(len(rows)), [_short(name) for name, _, _ in rows], fontsize=6)
    axis.tick_params(length=0)
    for side in axis.spines.values():
        side.set_visible(False)


def _points(task: TaskResult) -> str:
    if not task.checks:
        return "?"
    return "·" if task.score == task.points else number(task.score)


def _colour(task: TaskResult) -> str:
    if not task.checks:
        return UNMARKED
    return FULL if task.score == task.points else PART if task.score else NOTHING


def _short(name: str) -> str:
    task, _, record = name.partition("/")
    return f"{task.rpartition('_')[2]}: {record.replace('_', ' ')}" if record else name
