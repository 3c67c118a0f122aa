"""The figures of the lesson: trained models and measurements, drawn, and the one that moves (lesson_lab.py)."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from markupsafe import Markup

from autograder.assignments.consistency_models.lesson_lab import Lab
from autograder.assignments.consistency_models.lesson_measured import MOONS, STYLE, TITLE, WIDTH, Measured
from autograder.lesson.facts import Runs
from autograder.lesson.plane import Plane, around
from autograder.render.drawing import Drawing
from autograder.render.html import to_svg


class Pictures:
    """All figures by name; `read` gives the files of the lesson's folder, some of benchmarks/lesson_models.py."""

    def __init__(self, read: Callable[[str], bytes], runs: Runs, prelude_sha256: str) -> None:
        self._points: dict[str, Any] = json.loads(read("pictures.json"))
        measured = Measured(self._points, json.loads(read("climb.json")), runs)
        self._lab = Lab(read, self._points, prelude_sha256)
        self.style, self.scripts, self.origin = self._lab.style + STYLE, self._lab.scripts, self._lab.origin
        self._by_name: dict[str, Callable[[], Markup]] = {
            "levels": self._levels,
            "crossing": self._crossing,
            "endpoint": self._endpoint,
            "onestep": self._onestep,
            "pair": self._pair,
            "decay": measured.decay,
            "climb": measured.climb,
            "jumps": self._jumps,
            "noise": self._noise,
            "calls": measured.calls,
            "lab": self._lab.draw,
        }

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def draw(self, name: str) -> Markup:
        """Return a figure as SVG, the one that moves as HTML."""
        return self._by_name[name]()

    def _levels(self) -> Markup:
        drawing = Drawing(WIDTH, 130)
        route = self._points["route"]
        start, end = route[0], route[-1]
        straight = [[start[i] + k / 4 * (end[i] - start[i]) for i in (0, 1)] for k in range(5)]
        for number, title in enumerate(("1. Walk smarter", "2. Straighten", "3. Do not walk")):
            drawing.words((200 * number + 100, TITLE), title, anchor="middle")
            plane = Plane(drawing, (200 * number + 8, 24), (184, 100), around(route, 0.25))
            if number == 0:
                plane.curve(route, "ode", 2)
                plane.cloud(route[:: len(route) // 8], "ode", 3)
            if number == 1:
                plane.curve(straight, "ode", 2)
                plane.cloud(straight, "ode", 3)
            if number == 2:
                plane.curve(route, "soft", 2, dashed=True)
                plane.arrow(start, end, "jump")
            plane.dot(start, "noise")
            plane.star(end)
        return to_svg(
            drawing, "levels", "Three levels of speed",
            "Three panels with the same noise point and the same endpoint. First: a bent trajectory with a few "
            "well placed steps on it. Second: a straight road with a few steps. Third: an arrow straight from "
            "the noise to the endpoint, past the dashed trajectory.",
        )  # fmt: skip

    def _crossing(self) -> Markup:
        drawing = Drawing(WIDTH, 226)
        for number, title in enumerate(("lines from noise to data", "the teacher’s trajectories")):
            drawing.words((300 * number + 150, TITLE), title, anchor="middle")
            plane = Plane(drawing, (300 * number + 6, 22), (288, 200), MOONS)
            plane.cloud(self._points["background"], "data", 1.2)
            lines = self._points["tracks"] if number else [pair[::-1] for pair in self._points["conditional"]]
            for line in lines:
                plane.curve(line, "ode", 1.5)
            plane.cloud([line[0] for line in lines], "noise", 3.5)
            plane.cloud([line[-1] for line in lines], "good", 3.5)
        return to_svg(
            drawing, "crossing", "Straight lines for training, bent trajectories for sampling",
            "Left: straight lines from noise points to data points, crossing one another. Right: the teacher’s "
            "trajectories from noise points to the two moons; several bend.",
        )  # fmt: skip

    def _endpoint(self) -> Markup:
        drawing = Drawing(WIDTH, 300)
        route = self._points["route"]
        plane = Plane(drawing, (0, 0), (WIDTH, 300), around(route, 0.3))
        plane.cloud(self._points["background"], "data", 1.6)
        plane.curve(route, "ode", 2.5)
        for mark in self._points["marks"]:
            plane.arrow(mark, route[-1], "jump")
            plane.dot(mark, "jump")
        for level, mark in zip(self._points["levels"], self._points["marks"], strict=True):
            # The trajectory turns there: beside it on its steep part, above it where it is nearly level.
            plane.label(mark, "jump", f"t = {level}", (10, 4) if level > 0.4 else (-8, -12))
        plane.dot(route[0], "noise")
        plane.star(route[-1])
        return to_svg(
            drawing, "endpoint", "Five points of one trajectory, one endpoint",
            "A bent trajectory of the teacher from a noise point to a moon. From its points at t = 0.9, 0.7, "
            "0.5, 0.3 and 0.1 arrows lead to one mark, the trajectory’s end.",
        )  # fmt: skip

    def _onestep(self) -> Markup:
        panels = (
            ("1 step", "teacher_1", "ode"), ("5 steps", "teacher_5", "ode"), ("50 steps", "teacher_50", "ode"),
            ("one jump", "distilled_jump", "jump"),
        )  # fmt: skip
        drawing = Drawing(WIDTH, 126)
        for number, (title, cloud, role) in enumerate(panels):
            drawing.words((150 * number + 75, TITLE), title, anchor="middle")
            plane = Plane(drawing, (150 * number + 2, 22), (146, 100), MOONS)
            plane.cloud(self._points["clouds"][cloud], role, 1.1)
        return to_svg(
            drawing, "onestep", "From the same noise",
            "Four clouds of 400 samples. The teacher with one step: a single blob in the middle. With five "
            "steps: two rough moons. With fifty: two moons and a few points between them. One jump: two thinner moons, "
            "and more points between them.",
        )  # fmt: skip

    def _pair(self) -> Markup:
        drawing = Drawing(WIDTH, 300)
        route, pair = self._points["route"], self._points["pair"]
        plane = Plane(drawing, (0, 0), (WIDTH - 60, 300), around(route, 0.3))
        plane.cloud(self._points["background"], "data", 1.6)
        plane.curve(route, "soft", 1.5)
        plane.arrow(pair["upper"], pair["lower"], "ode")
        plane.bow(pair["upper"], route[-1], "jump", -0.25)
        plane.bow(pair["lower"], route[-1], "target", 0.12)
        plane.dot(route[0], "noise")
        for point, role, label in ((pair["upper"], "jump", "A: online"), (pair["lower"], "target", "B: target")):
            plane.dot(point, role)
            plane.label(point, role, label, (10, 4))
        plane.star(route[-1])
        return to_svg(
            drawing, "pair", "A training pair",
            "On a trajectory two neighbouring points: A, the noisier one, made from data and noise, and B, "
            "which a single step of the teacher reaches from A, a little off the trajectory. A dashed arrow "
            "leads from each to the trajectory’s end: from A the online network’s answer, from B the target network’s.",
        )  # fmt: skip

    def _jumps(self) -> Markup:
        drawing = Drawing(WIDTH, 300)
        visited = self._points["jumps"]
        plane = Plane(drawing, (0, 0), (WIDTH, 300), around(visited, 0.35))
        plane.cloud(self._points["background"], "data", 1.6)
        for number, (a, b) in enumerate(pairwise(visited)):
            plane.arrow(a, b, "noise" if number % 2 else "jump", dashed=bool(number % 2))
        plane.cloud(visited[1::2], "jump", 4.5)
        for number, point in enumerate(visited[0::2], 1):
            plane.dot(point, "noise")
            plane.label(point, "noise", str(number), (-20, 5))  # all jumps leave to the right
        plane.star(visited[-1])
        return to_svg(
            drawing, "jumps", "Four jumps, with fresh noise in between",
            "A zigzag: from noise point 1 an arrow jumps to a moon; a dashed arrow leads away from there to "
            "point 2, which has less noise; from there the next jump; four jumps in all, the last landing in a "
            "ring.",
        )  # fmt: skip

    def _noise(self) -> Markup:
        drawing = Drawing(WIDTH, 226)
        for number, (title, cloud) in enumerate((("fresh noise", "fresh_8"), ("the first noise again", "reused_8"))):
            drawing.words((300 * number + 150, TITLE), title, anchor="middle")
            plane = Plane(drawing, (300 * number + 6, 22), (288, 200), MOONS)
            plane.cloud(self._points["background"], "data", 1.2)
            plane.cloud(self._points["clouds"][cloud], "bad" if number else "jump", 1.4)
        return to_svg(
            drawing, "noise", "Eight jumps, with fresh noise and with the first noise again",
            "Two clouds of 400 samples over the data. Left, fresh noise: both moons in full, with a few points between "
            "them. Right, the first noise every time: the outer parts of the moons only, and hardly a point on their "
            "inner ends.",
        )  # fmt: skip
