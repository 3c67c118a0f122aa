"""The student's report as a self-contained web page, and how such pages are made of templates.

No script, nothing from outside (a content security policy says so too), every text escaped by jinja2.
"""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from autograder.render.drawing import Figure
from autograder.render.wording import NOTICES_SHOWN, SIGNS, is_repeat, kind, note, points, statement, verdict
from autograder.report import Report
from autograder.text import clean, number, one_line


def to_html(report: Report) -> str:
    """Return the report as the page that the student reads."""
    shown = report.warnings[:NOTICES_SHOWN]
    more = len(report.warnings) - len(shown)
    below: dict[str, list[Figure]] = {task.id: [] for task in report.tasks}
    for figure in map(Figure.from_dict, report.figures):
        below.setdefault(figure.task, []).append(figure)
    return render_page("report", report=report, notices=shown, more_notices=more, figures=below)


def render_page(name: str, **context: object) -> str:
    """Return the page of a template; every text in it is escaped."""
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
