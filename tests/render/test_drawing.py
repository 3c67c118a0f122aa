"""Drawings: stored as data, drawn as SVG and as PNG."""

from __future__ import annotations

import io
import json
import re

import pytest
from PIL import Image

from autograder.render.drawing import Drawing, Figure
from autograder.render.drawing_png import COLOURS
from autograder.render.html import to_html
from tests.sample_reports import FIGURES, HOSTILE, graded
from tests.svg import SVG, elements


def every_mark() -> Drawing:
    """Return a drawing with a mark of each kind."""
    drawing = Drawing(40.0, 30.5)
    drawing.dots([(1.26, 2.0), (-0.01, 3.0)], "own")
    drawing.dots([], "own")
    drawing.ring((4.0, 5.0), "soft")
    drawing.line([(0.0, 0.0), (9.96, 1.0)], "ink", 1.5, dashed=True)
    drawing.box((1.0, 1.0), (2.0, 3.0), "band", tip=HOSTILE)
    drawing.words((0.0, 4.0), HOSTILE, "lost", "end")
    return drawing


def test_a_stored_figure_is_the_same_figure() -> None:
    """A figure that went through JSON is drawn to the same letter, and stored again it is the same."""
    figure = Figure("f", "t", HOSTILE, HOSTILE, (("", every_mark()), (HOSTILE, every_mark())), "key", "words")
    stored = json.loads(json.dumps(figure.to_dict(), allow_nan=False))
    read = Figure.from_dict(stored)
    assert read.svgs == figure.svgs
    assert read.to_dict() == stored
    assert (read.task, read.key, read.words) == ("t", "key", "words")


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
def test_a_figure_with_what_is_no_number_is_refused(broken: float) -> None:
    """Where a value cannot be drawn, the code that draws it decides what is shown instead."""
    drawing = Drawing(10.0, 10.0)
    drawing.ring((broken, 1.0), "own")
    with pytest.raises(ValueError, match="no number"):
        Figure("f", "t", "T", "D", (("", drawing),)).to_dict()


def test_png_is_a_small_picture_and_the_same_each_time() -> None:
    """A few kilobytes, wide enough for a fine screen, byte by byte the same."""
    for figure in map(Figure.from_dict, FIGURES):
        png = figure.png
        assert png == figure.png
        assert len(png) < 40_000
        picture = Image.open(io.BytesIO(png))
        assert picture.format == "PNG"
        assert picture.width > 600
        assert len(set(picture.convert("RGB").resize((64, 64)).get_flattened_data())) > 3


def test_png_has_the_colours_of_the_light_page() -> None:
    """The picture's table of colours is the style sheet's, so that both show the same."""
    block = re.findall(r":root \{(.*?)\}", to_html(graded()), re.DOTALL)[0]
    page = dict(re.findall(r"--(\w+): (#\w+);", block))
    assert {role: page[role] for role in COLOURS} == COLOURS


def test_a_drawing_escapes_its_texts() -> None:
    """Texts are never markup, whoever wrote them."""
    drawing = Drawing(10.0, 10.0)
    drawing.words((0.0, 0.0), "<script>&")
    drawing.box((0.0, 0.0), (1.0, 1.0), "own", tip='"><script>')
    text = HOSTILE.encode("ascii", "ignore").decode().translate(dict.fromkeys(range(32)))
    found = elements(drawing.to_svg("f", text, text))
    assert {element.tag.removeprefix(SVG) for element in found} == {"svg", "title", "desc", "text", "rect"}
    assert found[1].text == text
