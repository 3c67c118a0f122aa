"""Figures of a report: the facts in them, drawn and in words."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from autograder.assignments.consistency_models.evidence import POINTS
from autograder.assignments.consistency_models.figures import figures
from autograder.render.drawing import COLOURS
from autograder.render.html import to_html
from tests.sample_reports import EVIDENCE, FIGURES, graded
from tests.svg import elements, panels


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


def test_words_of_figures_say_what_they_show() -> None:
    """Forms without pictures have the same numbers, and whose functions were used; of clouds they say nothing."""
    samples, distance, levels = figures(EVIDENCE)
    assert samples.words == ""
    replaced = "In place of ema_update, which did not hold, the course's own was used."
    assert distance.words == f"{distance.description} {replaced}"
    assert levels.words == levels.description


def test_figures_are_stored_as_they_are_drawn() -> None:
    """As a report stores them they are JSON, a few kilobytes, and read again the same."""
    for figure, stored in zip(figures(EVIDENCE), FIGURES, strict=True):
        assert json.loads(json.dumps(stored)) == figure.to_dict()
    points = " ".join(["1.25,-0.75"] * POINTS)
    full = {"samples": dict.fromkeys(("target", "teacher", "student"), points)}
    assert len(json.dumps([figure.to_dict() for figure in figures(EVIDENCE | full)])) < 20_000


def test_svg_is_labelled_and_colours_are_roles() -> None:
    """Every drawing is an image with a title and a description of its own, and no colour that a theme cannot change."""
    page = to_html(graded(figures=FIGURES))
    drawings = re.findall(r"<svg .*?</svg>", page, re.DOTALL)
    # The page of the sample report has no task sample_quality, so only the sampler's figure is on it.
    assert len(drawings) == 1
    for figure in figures(EVIDENCE):
        for svg in panels(figure):
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
        for svg in panels(figure):
            width, height = (float(n) for n in elements(svg)[0].get("viewBox", "").split()[2:])
            for x, y in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", svg):
                assert 0 <= float(x) <= width
                assert 0 <= float(y) <= height


@pytest.mark.parametrize("missing", ["bands", "tail"])
def test_distance_without_a_band_or_a_row_is_drawn_all_the_same(missing: str) -> None:
    """A calibration of another kind leaves less to draw, and nothing to fail."""
    rows: dict[str, Any] = {"mean": {"ratio": 1.0, "limit": 1.1}, "tail": {"ratio": 1.0, "limit": 1.1}}
    if missing == "tail":
        del rows["tail"]
    (figure,) = figures({"distance": rows})
    assert "f-band" not in panels(figure)[0]
