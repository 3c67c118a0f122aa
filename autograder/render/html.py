"""The student's report as a self-contained web page, and how such pages are made of templates.

No script, nothing from outside (a content security policy says so too), every text escaped by jinja2.
"""

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from autograder.render.drawing import COLOURS, Drawing, short
from autograder.render.wording import NOTICES_SHOWN, SIGNS, is_repeat, kind, note, points, statement, verdict
from autograder.report import Report
from autograder.text import clean, number, one_line

HEAD, GAP = 22.0, 12.0  # of a picture: above each panel for its title, and between panels


def to_html(report: Report) -> str:
    """Return the report as the page that the student reads."""
    shown = report.warnings[:NOTICES_SHOWN]
    more = len(report.warnings) - len(shown)
    return render_page("report", report=report, notices=shown, more_notices=more)


def to_svg(drawing: Drawing, name: str, title: str, description: str) -> Markup:
    """Return a drawing as an SVG element; `name` is unique in its page, the texts are read out in its place."""
    return _drawn("svg", drawing, name, title, description)


def to_picture(figure: dict[str, Any]) -> tuple[Markup, float]:
    """Return a stored figure's panels side by side as one SVG that needs no page around it, and its width."""
    drawings = [drawing for _, drawing in figure["panels"]]
    width = GAP + sum(drawing["width"] + GAP for drawing in drawings)
    height = max(drawing["height"] for drawing in drawings) + HEAD + 2 * GAP
    return _drawn("picture", figure, width, height, GAP, HEAD, COLOURS), width


def render_page(name: str, **context: object) -> str:
    """Return the page of a template; every text in it is escaped."""
    return _pages().get_template(f"{name}.html.j2").render(context)


def _drawn(form: str, *parts: Any) -> Markup:
    made: Markup = getattr(_pages().get_template("drawing.svg.j2").module, form)(*parts)
    return made


def _percent(score: float, out_of: float) -> float:
    return round(100 * score / out_of, 2) if out_of else 0.0


def templates_of(package: str) -> Environment:
    """Return the templates of a package of ours, in which every text is escaped and a slip in a name is an error."""
    loader = PackageLoader(package)
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


@cache
def _pages() -> Environment:
    pages = templates_of("autograder.render")
    pages.filters |= {"clean": clean, "one_line": one_line, "number": number, "statement": statement, "note": note}
    pages.filters["short"] = short
    pages.globals |= {
        "mark": kind,
        "signs": SIGNS,
        "verdict": verdict,
        "points": points,
        "percent": _percent,
        "is_repeat": is_repeat,
    }
    return pages
