"""SVG as its elements."""

from __future__ import annotations

from xml.etree import ElementTree

SVG = "{http://www.w3.org/2000/svg}"


def elements(svg: str) -> list[ElementTree.Element]:
    """Return the elements of an SVG, which must be well formed."""
    if "xmlns" not in svg:  # part of a page, where HTML says what it is
        svg = str(svg).replace("<svg ", f'<svg xmlns="{SVG[1:-1]}" ', 1)
    return list(ElementTree.fromstring(str(svg)).iter())
