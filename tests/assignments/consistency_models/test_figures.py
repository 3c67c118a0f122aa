"""Figures of a report: the facts in them, as SVG, as PNG and in words."""

from __future__ import annotations

import io
import re
from typing import Any
from xml.etree import ElementTree

import pytest
from PIL import Image

from autograder.assignments.consistency_models.figures import figures, in_words
from autograder.render.drawing import Drawing
from autograder.render.drawing_png import COLOURS
from autograder.render.html import to_html
from tests.sample_reports import EVIDENCE, HOSTILE, graded

SVG = "{http://www.w3.org/2000/svg}"


def elements(svg: str) -> list[ElementTree.Element]:
    """Return the elements of an SVG, which must be well formed."""
    return list(ElementTree.fromstring(str(svg).replace("<svg ", f'<svg xmlns="{SVG[1:-1]}" ', 1)).iter())


def test_figures_of_full_evidence_say_what_they_show() -> None:
    """Three figures; their words hold every number that is drawn."""
    samples, distance, levels = figures(EVIDENCE)
    assert [title for title, _ in samples.panels] == [
        "Real data", "The teacher, 200 steps", "Your model, one jump",
    ]  # fmt: skip
    assert "In place of ema_update, which did not hold, the course's own was used." in samples.description
    assert "1.43 over all noises (limit 1.11)" in distance.description
    assert "1.00 over the outer noises alone (limit 1.12)" in distance.description
    assert "with 1 step at 1, as it should" in levels.description
    assert "with 2 steps at 1, 0.002, expected 1, 0.501" in levels.description
    assert "with 4 steps at other levels from call to call" in levels.description


def test_figures_of_nothing_are_none() -> None:
    """A submission that trained nothing and sampled nothing has no figure, and its page no empty frame."""
    assert figures({}) == []
    assert "<figure>" not in to_html(graded())


def test_in_words_says_what_the_figures_say() -> None:
    """Forms without pictures have the same numbers, and whose functions were used."""
    (_, distance), (_, levels) = in_words(EVIDENCE)
    _, shown, visited = figures(EVIDENCE)
    assert distance == f"{shown.description} In place of ema_update, which did not hold, the course's own was used."
    assert levels == visited.description
    assert in_words({}) == []


def test_svg_is_labelled_and_colours_are_roles() -> None:
    """Every drawing is an image with a title and a description of its own, and no colour that a theme cannot change."""
    page = to_html(graded(evidence=EVIDENCE))
    drawings = re.findall(r"<svg .*?</svg>", page, re.DOTALL)
    # The page of the sample report has no task sample_quality, so only the sampler's figure is on it.
    assert len(drawings) == 1
    for figure in figures(EVIDENCE):
        for _, svg in figure.svgs:
            root, title, desc, *marks = elements(svg)
            assert root.get("role") == "img"
            assert root.get("aria-labelledby") == f"{title.get('id')} {desc.get('id')}"
            assert title.text
            assert desc.text == figure.description
            assert not {"fill", "stroke", "style", "href"} & {name for mark in marks for name in mark.attrib}
            roles = {name for mark in marks for name in re.findall(r"[fs]-(\w+)", mark.get("class", ""))}
            assert roles <= set(COLOURS)
            assert all(f".f-{role} " in page for role in roles)


def test_every_mark_is_drawn_inside_its_ground() -> None:
    """Points that flew off, and levels beyond the axis, are drawn at the border."""
    samples = dict.fromkeys(("target", "teacher", "student"), "9.99,-9.99 -9.99,9.99")
    levels = [{"n_steps": 1, "asked": [99.99, -99.99], "expected": [1.0], "right": False}]
    distance = {"mean": {"ratio": 99.99, "limit": 1.1}, "tail": {"ratio": 0.01, "limit": 1.1}}
    for figure in figures({"samples": samples, "levels": levels, "distance": distance, "replaced": []}):
        for _, svg in figure.svgs:
            width, height = (float(n) for n in elements(svg)[0].get("viewBox", "").split()[2:])
            for x, y in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", svg):
                assert 0 <= float(x) <= width
                assert 0 <= float(y) <= height


def test_png_is_a_small_picture_and_the_same_each_time() -> None:
    """A few kilobytes, wide enough for a fine screen, byte by byte the same."""
    for figure in figures(EVIDENCE):
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


@pytest.mark.parametrize("missing", ["bands", "tail"])
def test_distance_without_a_band_or_a_row_is_drawn_all_the_same(missing: str) -> None:
    """A calibration of another kind leaves less to draw, and nothing to fail."""
    rows: dict[str, Any] = {"mean": {"ratio": 1.0, "limit": 1.1}, "tail": {"ratio": 1.0, "limit": 1.1}}
    if missing == "tail":
        del rows["tail"]
    (figure,) = figures({"distance": rows})
    assert "f-band" not in figure.svgs[0][1]
