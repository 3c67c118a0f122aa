"""A small figure as a list of marks: stored as JSON, drawn as SVG into a page or as a picture of its own.

Colours are roles. A page's style sheet gives their values for light, dark and print; a picture has the light ones.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup, escape

Point = tuple[float, float]
FONT = 12.0
HEAD, GAP = 22.0, 12.0  # of a picture: above each panel for its title, and between panels
# The light page's colours (style.css.j2); a test holds them to be the same.
COLOURS = {
    "ink": "#1b2330",
    "soft": "#56606f",
    "line": "#d9dee6",
    "card": "#ffffff",
    "band": "#f6dfb4",
    "held": "#0b6e4f",
    "lost": "#b3261e",
    "data": "#727d8d",
    "reference": "#b45309",
    "own": "#2f5fb3",
}
PICTURE_STYLE = "path,circle{fill:none;stroke-linecap:round}circle{stroke-width:1.5}" + "".join(
    [".dashed{stroke-dasharray:4 3;stroke-linecap:butt}"]
    + [f".f-{role}{{fill:{colour}}}.s-{role}{{stroke:{colour}}}" for role, colour in COLOURS.items()]
)


@dataclass(frozen=True)
class Dots:
    """Filled circles of one size."""

    points: tuple[Point, ...]
    role: str
    radius: float


@dataclass(frozen=True)
class Ring:
    """An empty circle."""

    at: Point
    role: str
    radius: float


@dataclass(frozen=True)
class Line:
    """A line through points."""

    points: tuple[Point, ...]
    role: str
    width: float
    dashed: bool


@dataclass(frozen=True)
class Box:
    """A filled rectangle; `tip` is what a pointer resting on it is told."""

    at: Point
    size: Point
    role: str
    tip: str


@dataclass(frozen=True)
class Words:
    """A line of text; `anchor` is start, middle or end."""

    at: Point
    text: str
    role: str
    anchor: str


Mark = Dots | Ring | Line | Box | Words
_KINDS: dict[str, type[Mark]] = {kind.__name__.lower(): kind for kind in (Dots, Ring, Line, Box, Words)}
_POINTS = ("points", "at", "size")  # the fields of marks that hold points; the last two hold one


@dataclass
class Drawing:
    """Marks on a ground of `width` by `height`, in the pixels of a phone's page."""

    width: float
    height: float
    marks: list[Mark] = field(default_factory=list)

    def dots(self, points: Iterable[Point], role: str, radius: float = 1.6) -> None:
        """Draw filled circles."""
        self.marks.append(Dots(tuple(points), role, radius))

    def ring(self, at: Point, role: str, radius: float = 5.0) -> None:
        """Draw an empty circle."""
        self.marks.append(Ring(at, role, radius))

    def line(self, points: Sequence[Point], role: str, width: float = 1.0, dashed: bool = False) -> None:
        """Draw a line."""
        self.marks.append(Line(tuple(points), role, width, dashed))

    def box(self, at: Point, size: Point, role: str, tip: str = "") -> None:
        """Fill a rectangle."""
        self.marks.append(Box(at, size, role, tip))

    def words(self, at: Point, text: str, role: str = "ink", anchor: str = "start") -> None:
        """Write a line of text, its base line at `at`."""
        self.marks.append(Words(at, text, role, anchor))

    def to_svg(self, name: str, title: str, description: str) -> Markup:
        """Return the figure as an SVG element; `name` is unique in its page, the texts are read out in its place."""
        head = Markup(
            '<svg viewBox="0 0 {w} {h}" role="img" aria-labelledby="{n}-t {n}-d">'
            '<title id="{n}-t">{t}</title><desc id="{n}-d">{d}</desc>'
        ).format(w=_n(self.width), h=_n(self.height), n=name, t=title, d=description)
        return head + self._marks() + Markup("</svg>")

    def to_ornament(self) -> Markup:
        """Return the figure as an SVG element that is passed over when read out: the text beside it says the same."""
        head = Markup('<svg viewBox="0 0 {} {}" aria-hidden="true">').format(_n(self.width), _n(self.height))
        return head + self._marks() + Markup("</svg>")

    def _marks(self) -> Markup:
        return Markup("").join(_svg(mark) for mark in self.marks)


@dataclass(frozen=True)
class Figure:
    """A figure below a task of a report, as the assignment draws it; `description` says all that it shows, in words."""

    name: str  # unique in a report: letters
    task: str
    title: str
    description: str
    panels: tuple[tuple[str, Drawing], ...]  # with their titles
    key: str = ""  # what its signs mean, for those who see it
    words: str = ""  # what a terminal and Markdown print in its place; "": nothing

    def to_dict(self) -> dict[str, Any]:
        """Return the figure in JSON's types, as reports store it; raises ValueError for NaN or infinity."""
        return vars(self) | {"panels": [[title, _drawing_dict(drawing)] for title, drawing in self.panels]}

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> Figure:
        """Return the figure whose `to_dict()` is `value`."""
        return cls(**value | {"panels": tuple((title, _drawing(drawing)) for title, drawing in value["panels"])})

    @property
    def svgs(self) -> list[tuple[str, Markup]]:
        """The panels with their titles, each as an SVG element."""
        return [
            (title, drawing.to_svg(f"{self.name}-{place}", title or self.title, self.description))
            for place, (title, drawing) in enumerate(self.panels)
        ]

    @property
    def picture(self) -> tuple[Markup, float]:
        """The panels side by side as one SVG that needs no page around it, and its width."""
        left, panels = GAP, Markup("")
        for title, drawing in self.panels:
            marks = _svg(Words((0.0, -8.0), title or self.title, "ink", "start")) + drawing._marks()
            panels += Markup('<g transform="translate({} {})">{}</g>').format(_n(left), _n(GAP + HEAD), marks)
            left += drawing.width + GAP
        height = max(drawing.height for _, drawing in self.panels) + HEAD + 2 * GAP
        head = Markup(
            '<svg xmlns="http://www.w3.org/2000/svg" width="{w}" height="{h}" viewBox="0 0 {w} {h}" '
            'font-family="sans-serif"><style>{style}</style><rect class="f-card" width="{w}" height="{h}"/>'
        ).format(w=_n(left), h=_n(height), style=Markup(PICTURE_STYLE))
        return head + panels + Markup("</svg>"), left


def _drawing_dict(drawing: Drawing) -> dict[str, Any]:
    marks = [{"kind": type(mark).__name__.lower(), **_packed(vars(mark))} for mark in drawing.marks]
    return {"width": drawing.width, "height": drawing.height, "marks": marks}


def _drawing(value: dict[str, Any]) -> Drawing:
    return Drawing(value["width"], value["height"], [_mark(**mark) for mark in value["marks"]])


def _packed(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a mark with points as text: as exact as SVG, in a tenth of the room of JSON's lists."""
    points = {name: fields[name] if name == "points" else (fields[name],) for name in _POINTS if name in fields}
    if not all(math.isfinite(x) and math.isfinite(y) for several in points.values() for x, y in several):
        raise ValueError("a figure has a coordinate that is no number")
    return fields | {name: " ".join(f"{_n(x)},{_n(y)}" for x, y in several) for name, several in points.items()}


def _mark(kind: str, **fields: Any) -> Mark:
    for name in _POINTS:
        if name in fields:
            points = tuple((float(x), float(y)) for x, y in (point.split(",") for point in fields[name].split()))
            fields[name] = points if name == "points" else points[0]
    return _KINDS[kind](**fields)


def _svg(mark: Mark) -> Markup:
    match mark:
        case Dots(points, role, radius):
            # A path of nothing with round ends is a dot, in a quarter of a circle's letters.
            path = "".join(f"M{_n(x)} {_n(y)}h0" for x, y in points)
            return Markup('<path class="{}" stroke-width="{}" d="{}"/>').format(_stroke(role), _n(2 * radius), path)
        case Ring((x, y), role, radius):
            form = Markup('<circle class="{}" cx="{}" cy="{}" r="{}"/>')
            return form.format(_stroke(role), _n(x), _n(y), _n(radius))
        case Line(points, role, width, dashed):
            path = "M" + "L".join(f"{_n(x)} {_n(y)}" for x, y in points)
            kind = f"{_stroke(role)} dashed" if dashed else _stroke(role)
            return Markup('<path class="{}" stroke-width="{}" d="{}"/>').format(kind, _n(width), path)
        case Box((x, y), (width, height), role, tip):
            form = Markup('<rect class="f-{}" x="{}" y="{}" width="{}" height="{}"')
            head = form.format(role, _n(x), _n(y), _n(width), _n(height))
            return head + (Markup("><title>{}</title></rect>").format(tip) if tip else Markup("/>"))
        case Words((x, y), text, role, anchor):
            form = Markup('<text class="f-{}" x="{}" y="{}" text-anchor="{}" font-size="{}">{}</text>')
            return form.format(role, _n(x), _n(y), anchor, _n(FONT), escape(text))


def _stroke(role: str) -> str:
    return f"s-{role}"


def _n(value: float) -> str:
    """Return a number with one place at most."""
    return f"{value:.1f}".removesuffix(".0")
