"""SVG as its elements."""

from __future__ import annotations

from xml.etree import ElementTree

from autograder.render.drawing import Figure
from autograder.render.html import to_svg

SVG = "{http://www.w3.org/2000/svg}"


def elements(svg: str) -> list[ElementTree.Element]:
    """Return the elements of an SVG, which must be well formed."""
    if "xmlns" not in svg:  # part of a page, where HTML says what it is
        svg = str(svg).replace("<svg ", f'<svg xmlns="{SVG[1:-1]}" ', 1)
    return list(ElementTree.fromstring(str(svg)).iter())


def panels(figure: Figure) -> list[str]:
    """Return the panels of a figure as SVG elements of a page."""
    named = enumerate(figure.panels)
    return [to_svg(each, f"{figure.name}-{n}", title or figure.title, figure.description) for n, (title, each) in named]
