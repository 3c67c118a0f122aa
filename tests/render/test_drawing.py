"""Drawings: stored as data, drawn as SVG."""

from __future__ import annotations

import json
import re

import pytest

from autograder.render.drawing import COLOURS, Drawing, Figure
from autograder.render.html import to_html, to_picture, to_svg
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
    """A figure that went through JSON is the same data, and so it is drawn to the same letter."""
    figure = Figure("f", "t", HOSTILE, HOSTILE, (("", every_mark()), (HOSTILE, every_mark())), "key", "words")
    stored = json.loads(json.dumps(figure.to_dict(), allow_nan=False))
    assert stored == figure.to_dict()
    assert to_picture(stored) == to_picture(figure.to_dict())
    assert (stored["task"], stored["key"], stored["words"]) == ("t", "key", "words")


def test_every_kind_of_mark_is_drawn() -> None:
    """Each mark as the SVG that it is, with one place at most."""
    drawn = to_svg(every_mark(), "f", "T", "D")
    for part in (
        'viewBox="0 0 40 30.5"', '<path class="s-own" stroke-width="3.2" d="M1.3 2h0M-0 3h0"/>',
        '<path class="s-own" stroke-width="3.2" d=""/>', '<circle class="s-soft" cx="4" cy="5" r="5"/>',
        '<path class="s-ink dashed" stroke-width="1.5" d="M0 0L10 1"/>',
        '<rect class="f-band" x="1" y="1" width="2" height="3"><title>',
        '<text class="f-lost" x="0" y="4" text-anchor="end" font-size="12">',
    ):  # fmt: skip
        assert part in drawn


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
def test_a_figure_with_what_is_no_number_is_refused(broken: float) -> None:
    """Where a value cannot be drawn, the code that draws it decides what is shown instead."""
    with pytest.raises(ValueError, match="no number"):
        Drawing(10.0, 10.0).ring((broken, 1.0), "own")


def test_a_picture_needs_no_page() -> None:
    """It is well-formed SVG with a size and with colours for all of its roles, has every title, and no script."""
    for figure in FIGURES:
        picture, width = to_picture(figure)
        root, style, *marks = elements(picture)
        assert float(root.get("width", "")) == width > 300
        roles = {name for mark in marks for name in re.findall(r"[fs]-(\w+)", mark.get("class", ""))}
        assert roles <= set(COLOURS)
        assert all(f".f-{role}{{" in (style.text or "") for role in roles)
        texts = [mark.text for mark in marks if mark.tag == f"{SVG}text"]
        assert {title or figure["title"] for title, _ in figure["panels"]} <= set(texts)
        assert "script" not in picture


def test_a_picture_has_the_colours_of_the_light_page() -> None:
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
    found = elements(to_svg(drawing, "f", text, text))
    assert {element.tag.removeprefix(SVG) for element in found} == {"svg", "title", "desc", "text", "rect"}
    assert found[1].text == text
