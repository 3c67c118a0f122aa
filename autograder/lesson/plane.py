"""A part of the data's plane on a drawing, with the marks that the lesson's figures share."""

import math
from collections.abc import Sequence

from autograder.render.drawing import Drawing, Point

BARB = 8.0  # length of an arrow head's sides, about twice the width of the lines


class Plane:
    """The part of the data's plane between `low` and `high`, as large as fits into `size` of a drawing at `at`."""

    def __init__(self, drawing: Drawing, at: Point, size: Point, corners: tuple[Point, Point]) -> None:
        self.drawing = drawing
        self._at, self._size = at, size
        (left, bottom), (right, top) = corners
        self._scale = min(size[0] / (right - left), size[1] / (top - bottom))
        self._middle = (left + right) / 2, (bottom + top) / 2

    def to(self, point: Sequence[float]) -> Point:
        """Return where a point of the data lies on the drawing."""
        x, y = (at + side / 2 for at, side in zip(self._at, self._size, strict=True))
        return x + (point[0] - self._middle[0]) * self._scale, y - (point[1] - self._middle[1]) * self._scale

    def cloud(self, points: Sequence[Sequence[float]], role: str, radius: float) -> None:
        """Draw the points that lie within."""
        (left, top), (width, height) = self._at, self._size
        placed = [self.to(point) for point in points]
        inside = [(x, y) for x, y in placed if left <= x <= left + width and top <= y <= top + height]
        self.drawing.dots(inside, role, radius)

    def curve(self, points: Sequence[Sequence[float]], role: str, width: float, dashed: bool = False) -> None:
        """Draw a line through points."""
        self.drawing.line([self.to(point) for point in points], role, width, dashed)

    def dot(self, point: Sequence[float], role: str) -> None:
        """Mark one point."""
        self.drawing.dots([self.to(point)], role, 5.5)

    def label(self, point: Sequence[float], role: str, text: str, beside: Point) -> None:
        """Write words whose base line begins `beside` a point; after all lines, whose ground they cover."""
        x, y = self.to(point)
        self.drawing.words((x + beside[0], y + beside[1]), text, role)

    def star(self, point: Sequence[float]) -> None:
        """Mark an endpoint: a dot in a ring, which no other mark is, so that it needs no colour to be found."""
        self.drawing.dots([self.to(point)], "good", 5)
        self.drawing.ring(self.to(point), "good", 8.5)

    def arrow(self, a: Sequence[float], b: Sequence[float], role: str, dashed: bool = False) -> None:
        """Draw an arrow that ends a little before b."""
        start, end = self.to(a), self.to(b)
        length = math.dist(start, end)
        gap = min(11.0, length / 4)
        tip = _between(start, end, 1 - gap / length)
        self.drawing.line([start, tip], role, 2, dashed)
        self._barbs(start, tip, role)

    def bow(self, a: Sequence[float], b: Sequence[float], role: str, bend: float) -> None:
        """Draw a dashed arrow along an arc, bent to its left by `bend` times its length."""
        start, end = self.to(a), self.to(b)
        control = _between(start, end, 0.5)
        control = control[0] + bend * (end[1] - start[1]), control[1] - bend * (end[0] - start[0])
        parts = [0.93 * k / 24 for k in range(25)]
        points = [_between(_between(start, control, s), _between(control, end, s), s) for s in parts]
        self.drawing.line(points, role, 2, dashed=True)
        self._barbs(points[-2], points[-1], role)

    def _barbs(self, before: Point, tip: Point, role: str) -> None:
        length = math.dist(before, tip)
        ux, uy = (tip[0] - before[0]) / length, (tip[1] - before[1]) / length
        ends = [(tip[0] - BARB * (ux + s * 0.5 * uy), tip[1] - BARB * (uy - s * 0.5 * ux)) for s in (1, -1)]
        self.drawing.line([ends[0], tip, ends[1]], role, 2)


def around(points: Sequence[Sequence[float]], margin: float) -> tuple[Point, Point]:
    """Return the corners of the box around points, `margin` of the data's units wider on every side."""
    xs, ys = [point[0] for point in points], [point[1] for point in points]
    return (min(xs) - margin, min(ys) - margin), (max(xs) + margin, max(ys) + margin)


def _between(a: Point, b: Point, part: float) -> Point:
    return a[0] + part * (b[0] - a[0]), a[1] + part * (b[1] - a[1])
