"""What was measured of a submission (evidence.py), drawn: the figures of its report, with their sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from autograder.render.drawing import Drawing, Figure, Point

QUALITY, SAMPLER = "sample_quality", "sample_consistency_multistep"
PANEL = 150.0  # both sides of a panel of samples; two fit beside each other on a phone
REACH = (3.6, 2.6)  # data units from the middle to a panel's border, to the right and upwards
WIDE = 330.0
LEFT, RIGHT = 66.0, 18.0  # room for the rows' names, and on the other side
SCALE = (0.8, 10.0)  # of the distances, logarithmic
ROW = 34.0
DISTANCE_KEY = (
    "The dashed line is the limit. The band around it lies between the furthest right run and the nearest wrong one "
    "that were ever measured."
)
LEVELS_KEY = "A ring is a level where it should ask, a dot in it that it did, a cross a question at another level."


def figures(evidence: dict[str, Any]) -> list[Figure]:
    """Return the figures for what was measured; none for what was not."""
    found = []
    if "samples" in evidence:
        found.append(_samples(evidence))
    if "distance" in evidence:
        found.append(_distances(evidence["distance"], _replaced(evidence)))
    if evidence.get("levels"):
        found.append(_levels(evidence["levels"]))
    return found


def _samples(evidence: dict[str, Any]) -> Figure:
    clouds = {name: _unpacked(text) for name, text in evidence["samples"].items()}
    panels = (
        ("Real data", _cloud(clouds["target"], "data", ())),
        ("The teacher, 200 steps", _cloud(clouds["teacher"], "reference", clouds["target"])),
        ("Your model, one jump", _cloud(clouds["student"], "own", clouds["target"])),
    )
    description = (
        "Samples of the model that your functions trained in a short run of the grader's, beside real data and beside "
        f"the teacher's samples from the same noise.{_replaced(evidence)}"
    )
    return Figure("samples", QUALITY, "Where your model's samples fall", description, panels)


def _replaced(evidence: dict[str, Any]) -> str:
    replaced = evidence.get("replaced", [])
    return f" In place of {_and(replaced)}, which did not hold, the course's own was used." if replaced else ""


def _cloud(points: Sequence[Point], role: str, behind: Sequence[Point]) -> Drawing:
    """Return points over a fainter cloud, in a frame with the origin in its middle."""
    width, height = PANEL, PANEL * REACH[1] / REACH[0]
    drawing = Drawing(width, height)
    drawing.line([(0.5, 0.5), (width - 0.5, 0.5), (width - 0.5, height - 0.5), (0.5, height - 0.5), (0.5, 0.5)], "line")

    def at(point: Point) -> Point:
        x, y = (max(-0.98, min(0.98, value / reach)) for value, reach in zip(point, REACH, strict=True))
        return (1 + x) * width / 2, (1 - y) * height / 2

    if behind:
        drawing.dots([at(point) for point in behind], "line", 1.2)
    drawing.dots([at(point) for point in points], role, 1.3)
    return drawing


def _distances(distance: dict[str, dict[str, float]], replaced: str) -> Figure:
    rows = _rows(distance)
    height = ROW * len(rows) + 40
    drawing = Drawing(WIDE, height)
    for place, (_, label, row) in enumerate(rows):
        y = 18 + ROW * place
        if "right" in row and "wrong" in row:
            left, right = _on_scale(row["right"]), _on_scale(row["wrong"])
            drawing.box((left, y - 9), (right - left, 18), "band")
        drawing.line([(_on_scale(SCALE[0]), y), (_on_scale(SCALE[1]), y)], "line")
        limit = _on_scale(row["limit"])
        drawing.line([(limit, y - 12), (limit, y + 12)], "ink", 1.5, dashed=True)
        held = row["ratio"] <= row["limit"]
        at = (_on_scale(row["ratio"]), y)
        drawing.dots([at], "held", 5.0) if held else _cross(drawing, at)
        drawing.words((0.0, y + 4), label)
    axis = ROW * len(rows) + 4
    for tick in (1, 2, 5, 10):
        drawing.line([(_on_scale(tick), axis), (_on_scale(tick), axis + 4)], "soft")
        drawing.words((_on_scale(tick), axis + 17), f"{tick}×", "soft", "middle")
    drawing.words(((LEFT + WIDE - RIGHT) / 2, axis + 32), "the distance that right functions reach", "soft", "middle")
    title, words = "How far from the teacher", _distance_in_words(rows)
    return Figure("distance", QUALITY, title, words, (("", drawing),), DISTANCE_KEY, words + replaced)


def _rows(distance: dict[str, dict[str, float]]) -> list[tuple[str, str, dict[str, float]]]:
    return [(name, label, distance[name]) for name, label in (("mean", "all"), ("tail", "outer")) if name in distance]


def _distance_in_words(rows: Sequence[tuple[str, str, dict[str, float]]]) -> str:
    noises = {"mean": "over all noises", "tail": "over the outer noises alone"}
    parts = [f"{_number(row['ratio'])} {noises[name]} (limit {row['limit']:.2f})" for name, _, row in rows]
    return (
        "Mean distance from one jump of your model to the end of the teacher's trajectory, as a multiple of what the "
        f"same short training reaches with right functions: {_and(parts)}."
    )


def _on_scale(ratio: float) -> float:
    low, high = (math.log(end) for end in SCALE)
    part = (math.log(max(SCALE[0], min(SCALE[1], ratio))) - low) / (high - low)
    return LEFT + part * (WIDE - LEFT - RIGHT)


def _levels(levels: Sequence[dict[str, Any]]) -> Figure:
    drawing = Drawing(WIDE, ROW * len(levels) + 40)
    for place, row in enumerate(levels):
        y = 18 + ROW * place
        drawing.words((0.0, y + 4), f"{row['n_steps']} step{'s' if row['n_steps'] > 1 else ''}")
        drawing.line([(_on_axis(1.0), y), (_on_axis(0.0), y)], "line")
        for level in row["expected"]:
            drawing.ring((_on_axis(level), y), "soft")
        if row["asked"] is None:
            drawing.words((WIDE, y - 8), "differs from call to call", "lost", "end")
            continue
        for level in dict.fromkeys(row["asked"]):
            at = (_on_axis(level), y)
            _visit(drawing, at, row["asked"].count(level), any(abs(level - e) < 2e-3 for e in row["expected"]))
    axis = ROW * len(levels) + 4
    for tick in (1.0, 0.75, 0.5, 0.25, 0.0):
        drawing.line([(_on_axis(tick), axis), (_on_axis(tick), axis + 4)], "soft")
        drawing.words((_on_axis(tick), axis + 17), f"{tick:g}", "soft", "middle")
    drawing.words(((LEFT + WIDE - RIGHT) / 2, axis + 32), "noise level t, first jump at the left", "soft", "middle")
    title, words = "The noise levels that your sampler asked at", _levels_in_words(levels)
    return Figure("levels", SAMPLER, title, words, (("", drawing),), LEVELS_KEY, words)


def _visit(drawing: Drawing, at: Point, times: int, expected: bool) -> None:
    drawing.dots([at], "own", 3.0) if expected else _cross(drawing, at)
    if times > 1:
        drawing.words((at[0] + 8, at[1] - 8), f"{times} times", "lost")


def _levels_in_words(levels: Sequence[dict[str, Any]]) -> str:
    """Return what the figure of the levels shows."""
    parts = []
    for row in levels:
        steps = f"{row['n_steps']} step{'s' if row['n_steps'] > 1 else ''}"
        if row["asked"] is None:
            parts.append(f"with {steps} at other levels from call to call")
        elif row["right"]:
            parts.append(f"with {steps} at {_list(row['asked'])}, as it should")
        else:
            parts.append(f"with {steps} at {_list(row['asked'])}, expected {_list(row['expected'])}")
    return f"Your sampler asked the model {'; '.join(parts)}."


def _on_axis(level: float) -> float:
    """Return where a level lies, 1 at the left; what is beyond the axis is drawn just outside of it."""
    part = max(-0.04, min(1.04, 1.0 - level))
    return LEFT + part * (WIDE - LEFT - RIGHT)


def _cross(drawing: Drawing, at: Point) -> None:
    x, y = at
    for up in (-4.5, 4.5):
        drawing.line([(x - 4.5, y - up), (x + 4.5, y + up)], "lost", 2.0)


def _unpacked(text: str) -> list[Point]:
    return [(float(x), float(y)) for x, y in (point.split(",") for point in text.split())]


def _list(levels: Sequence[float]) -> str:
    return ", ".join(f"{level:g}" for level in levels) if levels else "no level"


def _and(parts: Sequence[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)


def _number(ratio: float) -> str:
    return "1.00" if abs(ratio - 1) < 5e-3 else f"{ratio:.2f}" if ratio < 10 else f"{ratio:.0f}"
