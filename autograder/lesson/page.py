"""The lesson as one page that needs nothing beside it: text, figures, weights and the code that evaluates them."""

from __future__ import annotations

import base64
import json
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from autograder.assignment import NAME, Assignment, load_assignment
from autograder.assignments.consistency_models.lesson_pictures import Pictures
from autograder.errors import ReleaseFault
from autograder.lesson.facts import Facts, load_facts
from autograder.lesson.prose import Prose, read_prose
from autograder.lesson.self_contained import prove_whole
from autograder.lesson.terms import explained_terms

WORDS_A_MINUTE = 220
LARGEST_BYTES = 3_000_000  # a phone on a slow line still gets it in a moment; weights are most of it
LIMIT, REACH = 3.6, 4  # how far the noise point goes, and where the figure ends, in units of the data
STEPS, LANDINGS = 200, 20  # of the teacher's ODE, as in the notebook; of the trajectory's points that jump
EULER, JUMPS = (1, 5, 20), (2, 4, 8)


def lesson_folder(course: Path) -> Path:
    """Return where the lesson's sources stand."""
    return course / "source" / NAME / "lesson"


class Lesson:
    """The lesson of a course: its sources, read and checked, and the page that they make."""

    def __init__(self, course: Path) -> None:
        self._course, self._folder = course, lesson_folder(course)

    @cached_property
    def facts(self) -> Facts:
        """What the text may say in numbers."""
        notebook = "\n".join(cell.source for cell in self._assignment.cells)
        return load_facts(self._folder, notebook)

    @cached_property
    def prose(self) -> Prose:
        """The text as HTML."""
        return read_prose(self._read("lesson.md").decode(), self.facts, self._draw)

    @property
    def minutes(self) -> int:
        """How long the text takes to read."""
        return round(self.prose.words / WORDS_A_MINUTE)

    def page(self) -> bytes:
        """Return the page; raises ReleaseFault that says what in the sources must change first."""
        body = self._render("body", lesson=self)
        terms = explained_terms(body, self.facts.terms)
        if unused := self.facts.unused():
            raise ReleaseFault(f"facts.toml lists what lesson.md does not use: {', '.join(unused)}")
        made = {"terms": terms, "weights": Markup(self._weights), "settings": self._settings}
        text = self._render("lesson", lesson=self, body=Markup(body), **made)
        prove_whole(text)
        page = text.encode()
        if len(page) > LARGEST_BYTES:
            raise ReleaseFault(f"the lesson has {len(page):,} bytes; at most {LARGEST_BYTES:,} may be sent to a phone")
        return page

    @cached_property
    def record(self) -> dict[str, Any]:
        """What models.bin holds; raises ReleaseFault when another prelude made it."""
        record: dict[str, Any] = json.loads(self._read("models.json"))
        if record["prelude_sha256"] != self._assignment.prelude_sha256:
            raise ReleaseFault(
                "the lesson's models were made by another prelude than the source notebook's; run "
                "`python benchmarks/lesson_models.py` and commit what it writes"
            )
        return record

    @cached_property
    def _assignment(self) -> Assignment:
        return load_assignment(self._course)

    @cached_property
    def _pictures(self) -> Pictures:
        return Pictures(self._points, self.facts.runs)

    @cached_property
    def _points(self) -> dict[str, Any]:
        points: dict[str, Any] = json.loads(self._read("pictures.json"))
        return points

    @property
    def _weights(self) -> str:
        weights = self._read("models.bin")
        expected = 4 * sum(model["count"] for model in self.record["models"])
        if len(weights) != expected:
            raise ReleaseFault(f"models.bin has {len(weights)} bytes and models.json tells of {expected}")
        return base64.b64encode(weights).decode()

    @property
    def _settings(self) -> dict[str, Any]:
        wanted = ("name", "hidden", "first", "count")
        models = [{key: model[key] for key in wanted} for model in self.record["models"]]
        return {
            "record": {"sigma_min": self.record["sigma_min"], "models": models},
            "models": self._jumpers,
            "steps": STEPS,
            "landings": LANDINGS,
            "euler": EULER,
            "limit": LIMIT,
            "start": self._points["route"][0],
        }

    @property
    def _jumpers(self) -> list[dict[str, str]]:
        """The models of the figure that jump, with what their switch says."""
        labels = {"distilled": "full run, decay {decay:g}", "no_teacher": "without a teacher"}
        return [
            {"name": model["name"], "label": labels.get(model["name"], "short run, decay {decay:g}").format(**model)}
            for model in self.record["models"]
            if "decay" in model
        ]

    def _draw(self, name: str) -> str:
        if name == "lab":
            background = "".join(f"M{200 + 50 * x:.0f} {200 - 50 * y:.0f}h0" for x, y in self._points["background"])
            settings = {
                "limit": LIMIT, "reach": REACH, "steps": STEPS, "landings": LANDINGS, "euler": EULER, "jumps": JUMPS,
                "models": self._jumpers, "background": background,
            }  # fmt: skip
            return self._render("lab", lab=settings)
        if name not in self._pictures:
            raise ReleaseFault(f"lesson.md asks for the figure '{name}', which nobody draws")
        return self._pictures.draw(name)

    def _read(self, name: str) -> bytes:
        try:
            return (self._folder / name).read_bytes()
        except OSError as error:
            raise ReleaseFault(f"{self._folder / name} cannot be read: {error.strerror}") from None

    def _render(self, name: str, **context: Any) -> str:
        return _templates().get_template(f"{name}.html.j2").render(context)


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("autograder.lesson"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
