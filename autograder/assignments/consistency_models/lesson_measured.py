"""The figures of the lesson that draw measurements over many seeds: the decay, the climb, what a call buys."""

from __future__ import annotations

import math
from itertools import groupby, pairwise
from typing import Any

from markupsafe import Markup

from autograder.lesson.facts import Runs
from autograder.lesson.plane import Plane
from autograder.render.drawing import Drawing, Point
from autograder.render.html import to_svg

DECAYS = ("0.0", "0.5", "0.9", "0.99", "0.999")
CALLS = {"teacher": (1, 5, 10, 20, 50), "jumps": (1, 2, 4, 8)}
MOONS = (-3.5, -2.3), (3.5, 2.3)  # the box in which all data lie
WIDTH = 600
TITLE = 16.0  # base line of what stands on top of a figure; a phone writes it larger (lesson.css)
BASE, SCALE = 214.0, 94.0  # of the bars: where they stand, and the height of an error of 1
SHADES, STRONGEST = 9, 1.8  # of the climb: the strongest is the error of a single blob
# Crisp edges, so that no seams show between the boxes of one shade.
STYLE = Markup(
    "".join(
        f"svg .f-shade{k}{{fill:var(--bad);fill-opacity:{k / SHADES:.2f};shape-rendering:crispEdges}}"
        for k in range(1, SHADES + 1)
    )
)


class Measured:
    """The figures; `points` are those of pictures.json, `climb` is climb.json, which benchmarks/claims.py writes."""

    def __init__(self, points: dict[str, Any], climb: dict[str, Any], runs: Runs) -> None:
        self._points, self._climb, self._runs = points, climb, runs

    def decay(self) -> Markup:
        """Draw endpoint errors by decay, of full and of short runs, and the samples of a run that collapsed."""
        drawing = Drawing(WIDTH, 262)
        for number, decay in enumerate(DECAYS):
            middle = 62 + 119.0 * number
            self._draw_error(drawing, middle - 25, f"main_teacher.{decay}", "jump")
            self._draw_error(drawing, middle + 25, f"decay.{decay}", "data")
            drawing.words((middle, BASE + 17), decay.removesuffix(".0"), anchor="middle")
        drawing.line([(4, BASE), (WIDTH - 4, BASE)], "soft", 1)
        drawing.words((4, TITLE), "endpoint error of one jump")
        drawing.words((WIDTH / 2, BASE + 42), "decay of the target", anchor="middle")
        plane = Plane(drawing, (60, 26), (240, 120), MOONS)  # above the small bars
        plane.cloud(self._points["background"], "data", 1.2)
        plane.cloud(self._points["clouds"]["decay_0.999_jump"], "bad", 1.2)
        told = "; ".join(
            f"decay {d.removesuffix('.0')}: {self._runs.value(f'mean main_teacher.{d}'):.2f} in the full run, "
            f"{self._runs.value(f'mean decay.{d}'):.2f} in the short run"
            for d in DECAYS
        )
        return to_svg(
            drawing, "decay", "What the decay of the target does",
            f"Bars: the endpoint error of one jump. {told}. Above the small bars the samples of a short run "
            "with decay 0.999: a blob in the middle, between the two moons of the data.",
        )  # fmt: skip

    def _draw_error(self, drawing: Drawing, middle: float, key: str, role: str) -> None:
        mean, spread = self._runs.value(f"mean {key}"), self._runs.value(f"sd {key}")
        drawing.box((middle - 18, BASE - SCALE * mean), (36, SCALE * mean), role)
        drawing.line([(middle, BASE - SCALE * max(0.0, mean + s * spread)) for s in (-1, 1)], "ink", 1.5)
        drawing.words((middle, BASE - SCALE * (mean + spread) - 6), f"{mean:.2f}", anchor="middle")

    def climb(self) -> Markup:
        """Draw the error at every level over the training steps, a panel for each decay."""
        drawing = Drawing(WIDTH, 396)
        for number, (decay, rows) in enumerate(self._climb["thousandths"].items()):
            left, top = 58.0 + 280 * (number % 2), 24.0 + 184 * (number // 2)
            drawing.words((left, top - 8), f"decay {decay.removesuffix('.0')}")
            self._draw_climb(drawing, (left, top), rows)
        drawing.words((WIDTH / 2, 391), "training step", "soft", anchor="middle")
        return to_svg(
            drawing, "climb", "The climb of the truth",
            "Four panels, one for each decay: the error at every noise level over the training steps, red where large. "
            "Decay 0: stripes, all levels better and worse together. Decay 0.5: white nearly from the beginning. "
            "Decay 0.9: a white area that climbs from the bottom to the top within the first tenth of the run. "
            "Decay 0.99: the same slope, ten times as late, at the top only near the end.",
        )  # fmt: skip

    def _draw_climb(self, drawing: Drawing, at: Point, rows: list[list[int]]) -> None:
        (left, top), width, height = at, 248.0, 132.0
        steps, levels = self._climb["steps"], len(self._climb["levels"])
        edges = [steps[0] / 1.4, *(math.sqrt(a * b) for a, b in pairwise(steps)), steps[-1]]
        across = [left + width * math.log(e / edges[0]) / math.log(edges[-1] / edges[0]) for e in edges]
        for k in range(levels):
            shades = [min(SHADES, int(SHADES * row[k] / 1000 / STRONGEST)) for row in rows]
            column = 0
            for shade, same in groupby(shades):
                first, column = column, column + len(list(same))
                if shade:
                    low = top + height * (1 - (k + 1) / levels)
                    size = across[column] - across[first], height / levels
                    drawing.box((across[first], low), size, f"shade{shade}")
        corners = [(left, top), (left + width, top), (left + width, top + height), (left, top + height), (left, top)]
        drawing.line(corners, "soft", 1)
        for step in (20, 100, 400, 2000):
            x = left + width * math.log(step / edges[0]) / math.log(edges[-1] / edges[0])
            drawing.words((x, top + height + 17), f"{step:,}", "soft", anchor="end" if step == steps[-1] else "middle")
        for level in (0, 1) if left < WIDTH / 2 else ():
            drawing.words((left - 6, top + height * (1 - level) + 4 + 4 * level), f"t = {level}", "soft", anchor="end")

    def calls(self) -> Markup:
        drawing = Drawing(WIDTH, 290)
        left, right, top, bottom = 46.0, 588.0, 40.0, 240.0

        def at(calls: float, w2: float) -> Point:
            x = left + (right - left) * math.log(calls) / math.log(50)
            return x, top + (bottom - top) * math.log(2.2 / w2) / math.log(2.2 / 0.08)

        for w2 in (0.1, 0.2, 0.5, 1, 2):
            drawing.line([at(1, w2), at(50, w2)], "line", 1)
            drawing.words((left - 10, at(1, w2)[1] + 4), f"{w2:g}", anchor="end")
        for calls in (1, 2, 4, 8, 20, 50):
            drawing.words((at(calls, 1)[0], bottom + 19), str(calls), anchor="middle")
        floor = self._runs.value("mean w2.data")
        drawing.line([at(1, floor), at(50, floor)], "soft", 1.5, dashed=True)
        drawing.words((left + 4, at(1, floor)[1] + 16), "real points against real points", "soft")
        for name, role in (("teacher", "ode"), ("jumps", "jump")):
            points = [at(n, self._runs.value(f"mean w2.{name}_{n}")) for n in CALLS[name]]
            drawing.line(points, role, 2)
            drawing.dots(points, role, 4)
            x, y = points[min(1, len(points) - 3)]
            label = {"teacher": "the teacher’s Euler steps", "jumps": "jumps of the consistency model"}[name]
            drawing.words((x + 10, y - 10) if name == "teacher" else (left + 4, y - 14), label, role)
        drawing.words((10, TITLE), "W2 to real data")
        drawing.words(((left + right) / 2, bottom + 44), "network calls for one sample", anchor="middle")
        told = "; ".join(
            f"{label} " + ", ".join(f"{self._runs.value(f'mean w2.{name}_{n}'):.2f} with {n}" for n in CALLS[name])
            for name, label in (("teacher", "the teacher’s steps:"), ("jumps", "jumps:"))
        )
        return to_svg(
            drawing, "calls", "What a network call buys",
            f"Two curves of the distance to real data against the number of network calls; {told}. Real points "
            f"against real points: {floor:.2f}.",
        )  # fmt: skip
