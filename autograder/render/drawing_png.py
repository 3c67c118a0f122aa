"""Figures as PNG, for places that show pictures but no SVG: nbgrader's feedback."""

from __future__ import annotations

import io
from collections.abc import Sequence
from itertools import pairwise

from PIL import Image, ImageColor, ImageDraw, ImageFont

from autograder.render.drawing import FONT, Box, Dots, Drawing, Line, Mark, Ring, Words

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
SCALE = 2  # pixels of the picture a unit: sharp on a fine screen
FINE = 2  # drawn that much larger and made smaller, since Pillow draws edges without grey
ANCHORS = {"start": "ls", "middle": "ms", "end": "rs"}  # Pillow's words for them, at the base line
SPELLED = str.maketrans({"×": "x"})  # what Pillow's own font has no letter for
HEAD, GAP = 22.0, 12.0  # above each panel for its title, and between panels


def to_png(panels: Sequence[tuple[str, Drawing]]) -> bytes:
    """Return drawings side by side, each below its title, as a PNG; the same drawings give the same bytes."""
    width = sum(drawing.width for _, drawing in panels) + GAP * (len(panels) + 1)
    height = max(drawing.height for _, drawing in panels) + HEAD + 2 * GAP
    factor = SCALE * FINE
    image = Image.new("RGB", (round(width * factor), round(height * factor)), COLOURS["card"])
    pen = ImageDraw.Draw(image)
    left = GAP
    for title, drawing in panels:
        _paint(pen, Words((0.0, -8.0), title, "ink", "start"), left, GAP + HEAD)
        for mark in drawing.marks:
            _paint(pen, mark, left, GAP + HEAD)
        left += drawing.width + GAP
    small = image.reduce(FINE)
    file = io.BytesIO()
    found = small.quantize(64, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)  # a tenth of the best's time
    _whiten(found)
    found.save(file, "PNG")
    return file.getvalue()


def _whiten(picture: Image.Image) -> None:
    """Give the colour of a corner, which is the ground's, the page's own white, which colours near it have dimmed."""
    place, palette = picture.tobytes()[0], picture.getpalette() or []
    palette[3 * place : 3 * place + 3] = ImageColor.getrgb(COLOURS["card"])
    picture.putpalette(palette)


def _paint(pen: ImageDraw.ImageDraw, mark: Mark, left: float, top: float) -> None:
    factor = SCALE * FINE

    def at(point: tuple[float, float]) -> tuple[float, float]:
        return (point[0] + left) * factor, (point[1] + top) * factor

    colour = COLOURS[mark.role]
    match mark:
        case Dots(points, _, radius):
            for x, y in map(at, points):
                r = radius * factor
                pen.ellipse((x - r, y - r, x + r, y + r), fill=colour)
        case Ring(centre, _, radius):
            (x, y), r = at(centre), radius * factor
            pen.ellipse((x - r, y - r, x + r, y + r), outline=colour, width=round(1.5 * factor))
        case Line(points, _, width, dashed):
            for start, end in pairwise(points):
                for piece in _dashes(at(start), at(end)) if dashed else [(at(start), at(end))]:
                    pen.line(piece, fill=colour, width=max(1, round(width * factor)))
        case Box(corner, size, _, _):
            (x, y), (width, height) = at(corner), size
            pen.rectangle((x, y, x + width * factor, y + height * factor), fill=colour)
        case Words(point, text, _, anchor):
            font = ImageFont.load_default(FONT * factor)
            pen.text(at(point), text.translate(SPELLED), fill=colour, font=font, anchor=ANCHORS[anchor])


def _dashes(
    start: tuple[float, float], end: tuple[float, float]
) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    """Return the pieces of a dashed line, four units on and three off."""
    (x0, y0), (x1, y1) = start, end
    length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
    unit = SCALE * FINE

    def at(way: float) -> tuple[float, float]:
        part = min(1.0, way / length)
        return x0 + (x1 - x0) * part, y0 + (y1 - y0) * part

    return [(at(way), at(way + 4 * unit)) for way in range(0, round(length), 7 * unit)]
