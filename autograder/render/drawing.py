"""A small figure as a list of marks, in JSON's types from the start; templates/drawing.svg.j2 makes it SVG.

Colours are roles. A page's style sheet gives their values for light, dark and print; a picture has the light ones.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

Point = tuple[float, float]
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


@dataclass
class Drawing:
    """Marks on a ground of `width` by `height`, in the pixels of a phone's page.

    Each raises ValueError for a coordinate that is NaN or infinite.
    """

    width: float
    height: float
    marks: list[dict[str, Any]] = field(default_factory=list)

    def dots(self, points: Iterable[Point], role: str, radius: float = 1.6) -> None:
        """Draw filled circles."""
        self.marks.append({"kind": "dots", "points": _packed(*points), "role": role, "radius": radius})

    def ring(self, at: Point, role: str, radius: float = 5.0) -> None:
        """Draw an empty circle."""
        self.marks.append({"kind": "ring", "at": _packed(at), "role": role, "radius": radius})

    def line(self, points: Iterable[Point], role: str, width: float = 1.0, dashed: bool = False) -> None:
        """Draw a line through points."""
        mark = {"kind": "line", "points": _packed(*points), "role": role, "width": width, "dashed": dashed}
        self.marks.append(mark)

    def box(self, at: Point, size: Point, role: str, tip: str = "") -> None:
        """Fill a rectangle; `tip` is what a pointer resting on it is told."""
        self.marks.append({"kind": "box", "at": _packed(at), "size": _packed(size), "role": role, "tip": tip})

    def words(self, at: Point, text: str, role: str = "ink", anchor: str = "start") -> None:
        """Write a line of text, its base line at `at`, which is its start, middle or end."""
        self.marks.append({"kind": "words", "at": _packed(at), "text": text, "role": role, "anchor": anchor})


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
        """Return the figure in JSON's types, as reports store it and pages show it."""
        return vars(self) | {"panels": [[title, vars(drawing)] for title, drawing in self.panels]}


def short(value: float) -> str:
    """Return a number with one place at most, which is as exact as a page shows it."""
    return f"{value:.1f}".removesuffix(".0")


def _packed(*points: Point) -> str:
    """Return points as text: as exact as SVG, in a tenth of the room of JSON's lists."""
    if not all(math.isfinite(x) and math.isfinite(y) for x, y in points):
        raise ValueError("a figure has a coordinate that is no number")
    return " ".join(f"{short(x)},{short(y)}" for x, y in points)
