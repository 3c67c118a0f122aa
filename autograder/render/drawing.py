"""A small figure as a list of marks: drawn as SVG into a page, or as PNG (picture.py) where only pictures may go.

Colours are roles, whose values a page's style sheet gives for light, dark and print.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup, escape

Point = tuple[float, float]


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
    size: float


Mark = Dots | Ring | Line | Box | Words


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
        self.marks.append(Words(at, text, role, anchor, 12.0))

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
        case Words((x, y), text, role, anchor, size):
            form = Markup('<text class="f-{}" x="{}" y="{}" text-anchor="{}" font-size="{}">{}</text>')
            return form.format(role, _n(x), _n(y), anchor, _n(size), escape(text))


def _stroke(role: str) -> str:
    return f"s-{role}"


def _n(value: float) -> str:
    """Return a number with one place at most."""
    return f"{value:.1f}".removesuffix(".0")
