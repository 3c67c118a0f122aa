"""The report on a class for those who teach it: one self-contained web page that sorts, searches and prints.

Its one script is its own, which the content security policy names by its hash; nothing comes from outside. An anonymous
page holds no name, and nothing made of one: students are numbered by their score, and link nowhere.
"""

import base64
import hashlib
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from importlib.resources import files
from typing import Any

from markupsafe import Markup

from autograder.render import class_figures
from autograder.render.class_statistics import ENOUGH, LIMITS, ClassStatistics, quartiles
from autograder.render.html import render_page
from autograder.text import WORDS, number

# What a row can be found by, beside its name: `Kind.key` of each.
Key = tuple[str, ...]

STATUSES = {
    "graded": "graded",
    "unreadable": "unreadable",
    "no_notebook": "no notebook",
    "absent": "nothing handed in",
    "grader_error": "grader error",
}
SLOWEST = 5
MISTAKES_FIRST = 12  # the others are folded
_NOTICES = {
    "cell_cut_short": "a cell of their own was cut short",
    "cell_failed": "a cell of their own failed",
    "cell_type_changed": "a cell's type was changed",
    "duplicated_cell": "a cell stood there twice",
    "locked_cell_changed": "given cells were changed; the originals were used",
    "locked_cell_missing": "given cells were missing and put back",
    "magic_not_run": "a magic or a shell command was not run",
    "metadata_missing": "an editor dropped the cells' metadata",
    "output_truncated": "printed more than is kept",
    "override": "points decided by a person",
    "renamed_file": "the file has another name",
    "several_notebooks": "several notebooks; one was marked",
}


@dataclass(frozen=True)
class ClassRow:
    """A student in the table of a class; `link` is the address of the report, relative to the table."""

    student: str
    link: str
    score: float | None
    max_score: float
    bonus: float
    status: str
    tasks: tuple[float, ...]
    seconds: float = 0.0
    kind: str = ""  # of STATUSES
    keys: frozenset[Key] = frozenset()


@dataclass
class ClassReport:
    """A class: its rows, its statistics, and what is not in them."""

    assignment: str = ""
    titles: dict[str, str] = field(default_factory=dict)  # of the tasks, which are the columns
    rows: list[ClassRow] = field(default_factory=list)
    statistics: ClassStatistics = field(default_factory=ClassStatistics)
    stale: int | None = 0  # reports that were marked in another way than now; None: not known
    left_over: int = 0  # reports of students who are not in the class any more, in no row
    broken: int = 0  # files that are no whole report

    @property
    def counts(self) -> Counter[Key]:
        """How many students each key finds."""
        return Counter(key for row in self.rows for key in row.keys)


@dataclass(frozen=True)
class Found:
    """Students who have something in common, and the place of that in the page's list to choose from."""

    place: int
    label: str
    count: int


def to_class_page(report: ClassReport, *, anonymous: bool = False) -> str:
    """Return the page."""
    rows = _numbered(report.rows) if anonymous else list(report.rows)
    kinds = _kinds(report)
    found = {key: kind for key, kind in kinds.items() if kind.count}
    script = files("autograder.render").joinpath("templates/class.js").read_text(encoding="utf-8")
    return render_page(
        "class",
        report=report,
        anonymous=anonymous,
        rows=rows,
        found=found,
        limits=[key for key in found if key[0] == "limit"],
        keys_of=lambda row: " ".join(str(kinds[key].place) for key in sorted(row.keys) if key in kinds),
        mistakes=[_mistake(report, *key[1:]) for key in kinds if key[0] == "mistake"],
        script=Markup(script),  # ours alone
        mistakes_first=MISTAKES_FIRST,
        statuses=STATUSES,
        enough=ENOUGH,
        bar=class_figures.verdicts,
        signed=_signed,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        **_shown(report, rows),
    )


def _numbered(rows: Sequence[ClassRow]) -> list[ClassRow]:
    """Return the rows without names, in an order that the names have no part in: equal rows may stand either way."""

    def order(row: ClassRow) -> tuple[Any, ...]:
        score = -1.0 if row.score is None else row.score
        return -score, row.status, row.kind, row.tasks, row.seconds, sorted(row.keys)

    return [replace(row, student=str(place), link="") for place, row in enumerate(sorted(rows, key=order), 1)]


def _kinds(report: ClassReport) -> dict[Key, Found]:
    """Return all that rows can be chosen by, in the order in which the page shows it."""
    counts = report.counts
    labels: dict[Key, str] = {("kind", kind): label for kind, label in STATUSES.items()}
    labels["stale",] = "marked in another way than now"
    labels["suspicious",] = "noted for staff"
    for _, code in sorted(key for key in counts if key[0] == "notice"):
        labels["notice", code] = _NOTICES.get(code, code.replace("_", " "))
    for status in LIMITS:
        labels["limit", status.value] = WORDS[status]
    # Equal counts in the order of their names, not in that in which the students come.
    for key in sorted((key for key in counts if key[0] == "mistake"), key=lambda key: (-counts[key], key)):
        labels[key] = f"{report.titles.get(key[1], key[1])}: {key[2].replace('_', ' ')}"
    return {key: Found(place, label, counts[key]) for place, (key, label) in enumerate(labels.items(), 1)}


def _shown(report: ClassReport, rows: Sequence[ClassRow]) -> dict[str, Any]:
    """Return the figures and numbers of the page."""
    found = report.statistics
    checks = list(enumerate(found.checks.values(), 1))
    by_task = [(title, [row for row in checks if row[1].task == task]) for task, title in report.titles.items()]
    most = max((row.max_score for row in rows), default=0.0)
    longest = class_figures.round_up(max(found.seconds, default=0.0))
    return {
        "by_task": [(title, tests) for title, tests in by_task if tests],
        "most": most,
        "score_figure": class_figures.histogram(found.scores, most, "points, the bonus apart"),
        "scores_in_words": class_figures.histogram_in_words(found.scores, most, "points"),
        "score_numbers": _numbers(found.scores),
        "scatter": class_figures.difficulty_and_discrimination(checks),
        "seconds_figure": class_figures.histogram(found.seconds, longest, "seconds of marking"),
        "seconds_in_words": class_figures.histogram_in_words(found.seconds, longest, "seconds"),
        "seconds_numbers": _numbers(found.seconds),
        "seconds_total": sum(found.seconds),
        "slowest": sorted((row for row in rows if row.seconds), key=lambda row: -row.seconds)[:SLOWEST],
    }


def _numbers(values: Sequence[float]) -> str:
    """Return the middle and the spread of values, as far as so many values tell them."""
    if not values:
        return "n = 0."
    parts = [f"n = {len(values)}", f"median {number(statistics.median(values))}"]
    found = quartiles(values)
    if found is not None:
        parts.append(f"half of them between {number(found[0])} and {number(found[2])}")
        parts.append(f"mean {number(statistics.fmean(values))}")
    parts.append(f"from {number(min(values))} to {number(max(values))}")
    return f"{', '.join(parts)}."


def _mistake(report: ClassReport, task: str, mistake: str) -> tuple[Key, str, str]:
    """Return a known mistake's key, the title of its task and a sentence about it."""
    sentence = report.statistics.sentences.get((task, mistake), mistake.replace("_", " "))
    return ("mistake", task, mistake), report.titles.get(task, task), sentence


def _signed(r: float) -> str:
    return f"{r:.2f}".replace("-", "−").replace("−0.00", "0.00")
