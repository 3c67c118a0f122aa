"""Every number of the lesson, with where it comes from: facts.toml, and the measurements that it names.

A measured number stands nowhere as digits: the text names it, `{{w2_jumps_1}}`, facts.toml says what it is, `mean
w2.jumps_1`, and claims.json, which benchmarks/claims.py writes, has the runs. A number that the text does write must be
listed too.
"""

import json
import operator
import re
import statistics
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.errors import ReleaseFault

CLAIMS = "claims.json"  # beside the text, so that source/ alone makes a release; benchmarks/claims.py writes it
NUMBER = re.compile(r"(?<![\w.])\d+(?:[.,]\d+)*")
_OF_RUNS: dict[str, Callable[[Sequence[float]], float]] = {
    "mean": statistics.fmean,
    "median": statistics.median,
    "sd": statistics.stdev,
    "max": max,
    "min": min,
}
_COUNT = re.compile(r"count (\S+) ([<>]) (\S+)")
_LEAST = re.compile(r"count least (\S+) among (\S+)")
_RATIO = re.compile(r"(mean|max) (\S+) / (\S+)")


@dataclass(frozen=True)
class Reference:
    """A source that the lesson quotes; `address` is where it can be read."""

    key: str
    text: str
    address: str


@dataclass(frozen=True)
class Fact:
    """A number as the text shows it, and what a reader who rests on it is told about its origin."""

    text: str
    origin: str


class Runs:
    """The measurements of all seeds."""

    def __init__(self, record: dict[str, Any]) -> None:
        self.date = str(record["date"])
        self.versions: dict[str, str] = record["versions"]
        self.seeds = int(record["seeds"])
        self._runs: list[dict[str, float]] = record["runs"]

    def column(self, key: str) -> list[float]:
        """Return one measurement of every run; raises ReleaseFault where there is none of that name."""
        if key not in self._runs[0]:
            raise ReleaseFault(f"{CLAIMS} has no measurement '{key}'")
        return [run[key] for run in self._runs]

    def value(self, expression: str) -> float:
        """Return the value of an expression of facts.toml.

        `seeds`, `mean KEY` (median, sd, max, min), the same of `KEY - KEY`, `count KEY < KEY`, `count KEY > NUMBER`,
        `count least KEY|KEY among PREFIX`, `mean KEY / KEY` (of the means) and `max KEY / KEY` (of the runs' ratios)
        are known; raises ReleaseFault for anything else.
        """
        if expression == "seeds":
            return self.seeds
        if found := _LEAST.fullmatch(expression):
            return self._count_least(found.group(1).split("|"), found.group(2))
        if found := _COUNT.fullmatch(expression):
            return self._count(*found.groups())
        if found := _RATIO.fullmatch(expression):
            kind, above, below = found.groups()
            a, b = self.column(above), self.column(below)
            return statistics.fmean(a) / statistics.fmean(b) if kind == "mean" else max(map(operator.truediv, a, b))
        kind, _, key = expression.partition(" ")
        if kind not in _OF_RUNS or not key:
            raise ReleaseFault(f"facts.toml: '{expression}' is no expression; see Runs.value for those there are")
        one, minus, other = key.partition(" - ")
        column = self.column(one)
        return _OF_RUNS[kind](list(map(operator.sub, column, self.column(other))) if minus else column)

    def _count_least(self, keys: list[str], prefix: str) -> int:
        """Return in how many runs the least of all measurements of a prefix is one of the keys."""
        rivals = [key for key in self._runs[0] if key.startswith(prefix)]
        return sum(min(rivals, key=lambda key: run[key]) in keys for run in self._runs)

    def _count(self, key: str, sign: str, other: str) -> int:
        left = self.column(key)
        right = [float(other)] * len(left) if NUMBER.fullmatch(other) else self.column(other)
        return sum(a < b if sign == "<" else a > b for a, b in zip(left, right, strict=True))


class Facts:
    """What the text may say in numbers."""

    def __init__(self, record: dict[str, Any], runs: Runs, notebook: str) -> None:
        self.runs = runs
        self.title: str = record["page"]["title"]
        self.measured: str = record["page"]["measured"]  # a sentence on how the runs were made
        self.references = [Reference(key, **fields) for key, fields in record["reference"].items()]
        self._facts = {name: self._measured(wanted) for name, wanted in record["measured"].items()}
        self._facts |= {name: self._quoted(fields) for name, fields in record["paper"].items()}
        self._stated = {number for group in record["stated"] for number in group["numbers"]}
        self.terms: dict[str, list[str]] = record["terms"]
        self._used: set[str] = set()
        self._check_notebook(record["stated"], notebook)
        self._check_holds(record["holds"])

    def fact(self, name: str) -> Fact:
        """Return the fact of that name; raises ReleaseFault where facts.toml has none."""
        if name not in self._facts:
            raise ReleaseFault(f"lesson.md asks for the number '{name}', which facts.toml does not have")
        self._used.add(name)
        return self._facts[name]

    def unlisted(self, text: str) -> list[str]:
        """Return the numbers in a piece of text that facts.toml does not list."""
        found = NUMBER.findall(text)
        self._used.update(found)
        return [number for number in found if number not in self._stated]

    def unused(self) -> list[str]:
        """Return the names and numbers of facts.toml that the text, read by now, never used."""
        return sorted((set(self._facts) | self._stated) - self._used)

    def _measured(self, wanted: str) -> Fact:
        expression, _, form = wanted.partition(" as ")
        value = self.runs.value(expression)
        whole = expression.startswith(("count", "seeds"))
        text = f"{value:.0f}" if whole else format(value, form or ".3f")
        spread = ""
        if re.fullmatch(r"mean \S+", expression):
            spread = f", standard deviation {self.runs.value('sd' + expression[4:]):.3f}"
        return Fact(text, f"measured: {expression} over {self.runs.seeds} runs{spread}, {self.runs.date}")

    def _quoted(self, fields: dict[str, str]) -> Fact:
        sources = {reference.key: reference for reference in self.references}
        if fields["reference"] not in sources:
            raise ReleaseFault(f"facts.toml quotes '{fields['reference']}', which is not among its references")
        return Fact(fields["value"], f"quoted: {sources[fields['reference']].text}, {fields['where']}")

    def _check_notebook(self, groups: list[dict[str, Any]], notebook: str) -> None:
        """Raise ReleaseFault where numbers are said to stand in the notebook and do not."""
        for group in groups:
            if group.get("notebook", "") not in notebook:
                raise ReleaseFault(f"facts.toml: the notebook does not hold {group['notebook']!r}")

    def _check_holds(self, claims: list[dict[str, Any]]) -> None:
        """Raise ReleaseFault where a comparison that the text makes in words is not what was measured."""
        for claim in claims:
            small, large = (self.runs.value(side) if isinstance(side, str) else float(side) for side in claim["less"])
            if not small < large:
                raise ReleaseFault(f"the lesson says: {claim['says']}. Measured: {small:.4g} against {large:.4g}")


def load_facts(lesson: Path, notebook: str) -> Facts:
    """Read facts.toml and the measurements of a lesson's folder; `notebook` is the text of all its cells.

    Raises ReleaseFault where a file is missing or broken, a fact asks for what was not measured, or a comparison in
    words does not hold.
    """
    try:
        record = tomllib.loads((lesson / "facts.toml").read_text(encoding="utf-8"))
        runs = Runs(json.loads((lesson / CLAIMS).read_text(encoding="utf-8")))
        return Facts(record, runs, notebook)
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise ReleaseFault(f"the lesson's facts cannot be read ({type(error).__name__}: {error})") from None
