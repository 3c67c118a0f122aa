"""The notebook that graders and students look at afterwards: what was handed in, restored, with verdicts.

Nothing of it is trusted but what we put there. Given cells are ours, whatever came in their place; metadata, outputs
and attachments of the student are gone; their code and text stay as text. So formgrader and the feedback find every
cell that they look for, in a submission of any shape, and show nothing that a student's code made.
"""

import base64
import copy
import html
import textwrap
from itertools import chain
from pathlib import Path
from typing import Any

from markupsafe import Markup
from nbformat import from_dict, v4

from autograder.assignment import Assignment
from autograder.errors import Unreadable
from autograder.intake.cells import RawCell
from autograder.intake.submission import read_with_text
from autograder.render.html import to_picture
from autograder.render.wording import NOTICES_SHOWN, is_repeat, note, points, statement
from autograder.report import GRADED, Report, TaskResult
from autograder.text import WORDS, clean, number, one_line
from autograder.verdict import Status

LINE = 100  # letters; nbgrader's pages cut off what is longer, or hide it behind a scroll bar
_TIED = "\N{NO-BREAK SPACE}"
_MARKDOWN_SIGNS = r"\`*_{}[]()#+-.!|<>~$"


def restored(path: Path | None, assignment: Assignment, release: Any) -> Any:
    """Return what was handed in at `path` on the frame of the release; of what cannot be read the release alone."""
    frame = _Frame(release)
    try:
        if path is not None:
            submission, cells = read_with_text(path, assignment)
            frame.fill(cells, submission.answers, {cell.number for cell in submission.cells})
    except Unreadable:
        pass  # the report says so
    return frame.notebook()


def add_verdicts(notebook: Any, report: Report) -> None:
    """Put what came of each task into the outputs of its test cell, as nbgrader reads it, and a summary on top."""
    tasks = {task.id: task for task in report.tasks}
    for cell in notebook.cells:
        task = tasks.get(cell.metadata.get("autograder", {}).get("task"))
        if task is not None:
            lines = _verdicts(task) or _wrapped(one_line(report.reason or "This task was not checked."))
            below = [_figure_outputs(figure) for figure in report.figures if figure["task"] == task.id]
            cell.outputs = [_text_output(lines), *chain.from_iterable(below), _points_output(task)]
    notebook.cells.insert(0, _cell("markdown", _summary(report), id="autograder-summary"))


class _Frame:
    """The cells of the notebook that is being put together."""

    def __init__(self, release: Any) -> None:
        self._release = release
        self._cells: list[Any] = []
        self._ids = [_grade_id(cell) for cell in release.cells]
        self._given = {_grade_id(cell): cell for cell in release.cells if _grade_id(cell)}
        self._texts = {cell.source.strip(): cell for cell in release.cells}
        self._placed: set[str] = set()

    def fill(self, cells: list[RawCell], answers: dict[str, tuple[int, ...]], own: set[int]) -> None:
        """Take the student's cells in their order."""
        last = {numbers[-1]: task for task, numbers in answers.items() if numbers}
        for before, cell in zip([None, *cells], cells, strict=False):
            if cell.number in last:
                self._place(last[cell.number], cell.source)
            elif cell.is_code and cell.number not in own:
                self._place_given(cell)
            elif cell.is_code:
                self._cells.append(_cell("code", cell.source, outputs=[], execution_count=None))
            else:
                self._place_text(cell, before)

    def notebook(self) -> Any:
        """Return the notebook, with the cells of the release that are still missing."""
        for position, cell in enumerate(self._release.cells):
            grade_id = self._ids[position]
            if grade_id and grade_id not in self._placed:
                self._cells.insert(self._place_after(position), self._take(grade_id))
            elif not grade_id and not self._placed:
                self._cells.append(copy.deepcopy(cell))
        for number_, cell in enumerate(self._cells, 1):  # the same bytes each time; nbformat would draw random ids
            cell.id = f"cell-{number_}"
        form = {"nbformat": v4.nbformat, "nbformat_minor": v4.nbformat_minor}
        return from_dict({**form, "metadata": copy.deepcopy(self._release.metadata), "cells": self._cells})

    def _place(self, grade_id: str, source: str) -> None:
        if grade_id in self._given and grade_id not in self._placed:
            cell = self._take(grade_id)
            cell.source = source
            self._cells.append(cell)

    def _place_given(self, cell: RawCell) -> None:
        grade_id = cell.grade_id or _grade_id(self._texts.get(cell.source.strip()))
        if self._is_written(grade_id):  # an answer in words whose cell was turned into code
            self._place(grade_id, cell.source)
        elif grade_id in self._given and grade_id not in self._placed:
            self._cells.append(self._take(grade_id))

    def _place_text(self, cell: RawCell, before: RawCell | None) -> None:
        if self._is_written(cell.grade_id) and cell.grade_id not in self._placed:
            self._place(cell.grade_id, cell.source)
            return
        written = self._expected_after(before)
        if written and not cell.grade_id and cell.source.strip() not in self._texts:
            self._place(written, cell.source)
        else:
            self._cells.append(_cell("markdown", cell.source))

    def _expected_after(self, before: RawCell | None) -> str:
        """Return the answer in words that stands after this cell in the release, for a notebook without metadata."""
        known = self._texts.get(before.source.strip()) if before is not None else None
        position = self._release.cells.index(known) + 1 if known is not None else len(self._ids)
        grade_id = self._ids[position] if position < len(self._ids) else ""
        return grade_id if self._is_written(grade_id) and grade_id not in self._placed else ""

    def _is_written(self, grade_id: str) -> bool:
        cell = self._given.get(grade_id)
        return cell is not None and cell.cell_type == "markdown" and bool(cell.metadata.nbgrader.get("solution"))

    def _take(self, grade_id: str) -> Any:
        self._placed.add(grade_id)
        cell = copy.deepcopy(self._given[grade_id])
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        return cell

    def _place_after(self, position: int) -> int:
        """Return where a missing cell goes: after the nearest one that stands before it in the release."""
        earlier = {grade_id for grade_id in self._ids[:position] if grade_id}
        for place in range(len(self._cells), 0, -1):
            if _grade_id(self._cells[place - 1]) in earlier:
                return place
        return 0


def _cell(kind: str, source: str, **more: Any) -> Any:
    """Return a cell. nbformat's own makers check each against the schema, a third of the time of a whole notebook."""
    return from_dict({"cell_type": kind, "id": "", "metadata": {}, "source": source, **more})


def _output(kind: str, **more: Any) -> Any:
    """Return an output of a code cell, of one of nbformat's kinds."""
    return from_dict({"output_type": kind, **more})


def _grade_id(cell: Any) -> str:
    return str(cell.metadata.get("nbgrader", {}).get("grade_id", "")) if cell is not None else ""


def _figure_outputs(figure: dict[str, Any]) -> list[Any]:
    """Return a figure in words and as a picture."""
    picture, width = to_picture(figure)
    # In an element of its own, since nbconvert gives an SVG output no text to be read out.
    shown = Markup('<img class="figure" alt="{}" width="{:.0f}" src="data:image/svg+xml;base64,{}">').format(
        figure["description"], width, base64.b64encode(picture.encode()).decode("ascii")
    )
    data = {"text/html": str(shown), "text/plain": f"a figure: {figure['title']}"}
    words = _wrapped(f"{figure['title']}. {figure['description']} {figure['key']}".strip())
    return [_text_output(words), _output("display_data", data=data, metadata={})]


def _points_output(task: TaskResult) -> Any:
    """Return what nbgrader takes for the points, which a bonus has none of."""
    points = 0.0 if task.bonus else task.score
    return _output("execute_result", data={"text/plain": repr(points)}, metadata={}, execution_count=None)


def _text_output(lines: list[str]) -> Any:
    """Return lines as plain text, no HTML: what is shown of a student's exception is then text for every reader."""
    return _output("stream", name="stdout", text="\n".join(lines) + "\n")


def _verdicts(task: TaskResult) -> list[str]:
    lines = []
    for check in task.checks:
        sign = "+" if check.status is Status.PASSED else "-"
        earned = points(task, check).replace(" ", _TIED)
        lines += _wrapped(f"{sign} {statement(check.title)}: {WORDS[check.status]} ({earned})", "  ")
        if check.message:
            message = "the same as above" if is_repeat(task, check) else clean(check.message)
            lines += [f"    {part}" for line in message.splitlines() for part in _wrapped(line, width=LINE - 4)]
    if task.bonus:
        lines.append(f"Bonus: {number(task.score)} of {number(task.points)} points, as extra credit.")
    return lines


def _summary(report: Report) -> str:
    if report.status == GRADED:
        score = f"{number(report.score or 0.0)} of {number(report.max_score)} points from the checks"
        bonus = f", and {number(report.bonus)} bonus points" if report.bonus else ""
        lines = [f"**{score}{bonus}.** What came of each check stands below its test cell."]
    else:
        lines = [f"**{_escaped(clean(report.reason or report.status))}**"]
    lines += [f"- {_escaped(one_line(note(notice), 600))}" for notice in report.warnings[:NOTICES_SHOWN]]
    return "\n\n".join(lines[:1]) + ("\n\n" + "\n".join(lines[1:]) if lines[1:] else "")


def _escaped(text: str) -> str:
    """Return text that markdown shows as it is."""
    return "".join(f"\\{char}" if char in _MARKDOWN_SIGNS else char for char in html.escape(text, quote=False))


def _wrapped(line: str, indent: str = "", width: int = LINE) -> list[str]:
    """Return a line as lines that a page can show; what fits stays as it is, a table's columns too."""
    parts = [line] if len(line) <= width else textwrap.wrap(line, width, subsequent_indent=indent)
    return [part.replace(_TIED, " ") for part in parts]
