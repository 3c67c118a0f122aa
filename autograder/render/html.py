"""The student's report and the table of a class as self-contained web pages.

No script, nothing from outside (a content security policy says so too), every text escaped by jinja2.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from autograder.render.figures import Figure, figures
from autograder.render.text import (
    NOTICES_SHOWN,
    SIGNS,
    clean,
    is_repeat,
    kind,
    note,
    number,
    one_line,
    points,
    statement,
    verdict,
)
from autograder.report import Report


@dataclass(frozen=True)
class ClassRow:
    """A student in the table of a class; `link` is the address of the report, relative to the table."""

    student: str
    link: str
    score: float | None
    max_score: float
    bonus: float
    status: str
    tasks: tuple[float, ...]


def to_html(report: Report) -> str:
    """Return the report as the page that the student reads."""
    shown = report.warnings[:NOTICES_SHOWN]
    more = len(report.warnings) - len(shown)
    below: dict[str, list[Figure]] = {task.id: [] for task in report.tasks}
    for figure in figures(report.evidence):
        below.setdefault(figure.task, []).append(figure)
    return _page("report", report=report, notices=shown, more_notices=more, figures=below)


def to_index(assignment: str, tasks: Iterable[str], rows: Iterable[ClassRow]) -> str:
    """Return the page that links to every report of a class."""
    return _page("index", assignment=assignment, tasks=list(tasks), rows=rows)


def _page(name: str, **context: object) -> str:
    return _pages().get_template(f"{name}.html.j2").render(context)


def _percent(score: float, out_of: float) -> float:
    return round(100 * score / out_of, 2) if out_of else 0.0


@cache
def _pages() -> Environment:
    pages = Environment(
        loader=PackageLoader("autograder.render"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters |= {"clean": clean, "one_line": one_line, "number": number, "statement": statement, "note": note}
    pages.globals |= {
        "mark": kind,
        "signs": SIGNS,
        "verdict": verdict,
        "points": points,
        "percent": _percent,
        "is_repeat": is_repeat,
    }
    return pages
