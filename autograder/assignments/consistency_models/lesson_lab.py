"""The figure of the lesson that moves: trained networks in the page, evaluated while it is dragged."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from markupsafe import Markup

from autograder.errors import ReleaseFault
from autograder.lesson.page import from_template

LIMIT, REACH = 3.6, 4  # how far the noise point goes, and where the figure ends, in units of the data
STEPS, LANDINGS = 200, 20  # of the teacher's ODE, as in the notebook; of the trajectory's points that jump
EULER, JUMPS = (1, 5, 20), (2, 4, 8)
SCRIPTS = """\
<script type="application/json" id="lesson-settings">{{ settings | tojson }}</script>
<script type="text/plain" id="lesson-weights">{{ weights }}</script>
<script>
{{ model }}
</script>
<script>
{{ lab }}
</script>"""


class Lab:
    """The figure and what it needs in its page; raises ReleaseFault for models that another prelude made."""

    def __init__(self, read: Callable[[str], bytes], points: dict[str, Any], prelude_sha256: str) -> None:
        self._read, self._points = read, points
        self._record: dict[str, Any] = json.loads(read("models.json"))
        if self._record["prelude_sha256"] != prelude_sha256:
            raise ReleaseFault(
                "the lesson's models were made by another prelude than the source notebook's; run "
                "`python benchmarks/lesson_models.py` and commit what it writes"
            )

    def draw(self) -> Markup:
        """Return the figure as HTML."""
        background = "".join(f"M{200 + 50 * x:.0f} {200 - 50 * y:.0f}h0" for x, y in self._points["background"])
        settings = {
            "limit": LIMIT, "reach": REACH, "steps": STEPS, "landings": LANDINGS, "euler": EULER, "jumps": JUMPS,
            "models": self._jumpers, "background": background,
        }  # fmt: skip
        return from_template(self._text("lab.html"), lab=settings)

    @property
    def style(self) -> Markup:
        """Its CSS."""
        return self._text("lab.css")

    @property
    def scripts(self) -> Markup:
        """The networks' weights, and the code."""
        settings, code = self._settings, {"model": self._text("model.js"), "lab": self._text("lab.js")}
        return from_template(SCRIPTS, settings=settings, weights=self._weights, **code)

    @property
    def origin(self) -> str:
        """Which models these are."""
        made = self._record["made"]
        return (
            "The models in the figure that moves are those of one seed, the notebook’s: "
            f"{made['date']}, torch {made['torch']}, seed {made['seed']}."
        )

    def _text(self, name: str) -> Markup:
        return Markup(self._read(name).decode().rstrip("\n"))  # ours alone

    @property
    def _weights(self) -> str:
        weights = self._read("models.bin")
        expected = 4 * sum(model["count"] for model in self._record["models"])
        if len(weights) != expected:
            raise ReleaseFault(f"models.bin has {len(weights)} bytes and models.json tells of {expected}")
        return base64.b64encode(weights).decode()

    @property
    def _settings(self) -> dict[str, Any]:
        wanted = ("name", "hidden", "first", "count")
        models = [{key: model[key] for key in wanted} for model in self._record["models"]]
        return {
            "record": {"sigma_min": self._record["sigma_min"], "models": models},
            "models": self._jumpers,
            "steps": STEPS,
            "landings": LANDINGS,
            "euler": EULER,
            "limit": LIMIT,
            "start": self._points["route"][0],
        }

    @property
    def _jumpers(self) -> list[dict[str, str]]:
        """The models that jump, with what their switch says."""
        labels = {"distilled": "full run, decay {decay:g}", "no_teacher": "without a teacher"}
        return [
            {"name": model["name"], "label": labels.get(model["name"], "short run, decay {decay:g}").format(**model)}
            for model in self._record["models"]
            if "decay" in model
        ]
