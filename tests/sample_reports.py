"""Reports that tests, and the picture in the README, are made from."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from autograder.assignment import Assignment
from autograder.assignments.consistency_models.figures import figures
from autograder.grading.job import NOTHING
from autograder.report import GRADED, UNREADABLE, CheckResult, Notice, Report, TaskResult
from autograder.verdict import Status

HOSTILE = (
    '=HYPERLINK("http://x.example","click")\n\r\t,;\'"`<script>alert(1)</script></script><!-- ]]> &amp; '
    "\u202egnp.exe\u2066 \x1b[31mred\x1b[0m\x1b]0;title\x07 \x00\x0b\ufffe\ud800 😀 "
    "\n::set-output name=score::100\n##[error]no ##vso[task.complete] ::notice title=Autograding report::"
    '{"totalPoints":100,"maxPoints":100} </details> {{ 7 * 7 }} {% raw %} [red]markup[/red] :smile:'
)
EMPTY = Assignment(Path(), "consistency-models", (), ())
BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"

FIRST = ("Ada", "Alan", "Emmy", "Grace", "Kurt", "Sofja", "Zoë", "Łukasz")
LAST = ("Gödel", "Hopper", "Kowalewskaja", "Lovelace", "Müller", "Noether", "Turing")

# What a judge measures of a submission whose EMA update does not hold and whose sampler ends too low.
EVIDENCE: dict[str, Any] = {
    "samples": {
        "target": "-1.50,0.80 0.20,1.10 1.40,0.10 -0.30,0.20 1.60,-1.10 3.00,0.30",
        "teacher": "-1.45,0.80 0.25,1.05 1.45,0.00 -0.25,0.25 1.60,-1.05 2.90,0.35",
        "student": "-1.20,0.70 0.30,0.90 1.20,0.20 -0.10,0.20 1.50,-0.90 2.60,0.20",
    },
    "distance": {
        "mean": {"ratio": 1.43, "limit": 1.111, "right": 1.022, "wrong": 1.207},
        "tail": {"ratio": 1.0, "limit": 1.122, "right": 1.022, "wrong": 1.23},
    },
    "replaced": ["ema_update"],
    "levels": [
        {"n_steps": 1, "asked": [1.0], "expected": [1.0], "right": True},
        {"n_steps": 2, "asked": [1.0, 0.002], "expected": [1.0, 0.501], "right": False},
        {"n_steps": 4, "asked": None, "expected": [1.0, 0.75, 0.501, 0.252], "right": False},
    ],
}

FIGURES = [figure.to_dict() for figure in figures(EVIDENCE)]


def check(id: str, title: str, share: str, status: Status = Status.PASSED, message: str = "") -> CheckResult:
    """Return a check that earned all of its points or none of them."""
    earned = Fraction(status is Status.PASSED)
    return CheckResult(id, title, Fraction(share), status, earned, message)


def graded(student: str = "ada", **changes: object) -> Report:
    """Return the report of an ordinary submission: good, with two mistakes."""
    tasks = (
        TaskResult(
            "noisy_sample",
            "The noisy sample",
            10.0,
            False,
            (
                check("values", "the mixture (1 - t) x_0 + t epsilon, row by row", "1/2"),
                check("rows", "Each row uses its own t.", "3/10"),
                check("arguments", "the arguments stay as they were", "1/5"),
            ),
        ),
        TaskResult(
            "ema_update",
            "The EMA update of the target",
            16.0,
            False,
            (
                check(
                    "values",
                    "The target moves to the weighted mean.",
                    "1/2",
                    Status.WRONG,
                    "The two weights look exchanged: with decay 0.9 the target should keep nine tenths of itself "
                    "and take one tenth of the online network.",
                ),
                check("in_place", "the target's own parameters change", "1/4"),
                check(
                    "no_graph",
                    "no gradient is asked for afterwards",
                    "1/4",
                    Status.WRONG,
                    "This could not hold while the values are wrong.",
                ),
            ),
        ),
        TaskResult(
            "sample_consistency_multistep",
            "The multi-step sampler",
            24.0,
            False,
            (
                check("levels", "the noise levels that the model is asked at", "1/3"),
                check(
                    "noise",
                    "fresh noise at the start and at each step",
                    "1/3",
                    Status.RUNTIME,
                    "line 9 of your cell 'sample_consistency_multistep' raised\n"
                    "    RuntimeError: The size of tensor a (1000) must match the size of tensor b (2)\n"
                    "The time was (n,) where the data are (n, 2): give it a second axis before multiplying.",
                ),
                check(
                    "estimate",
                    "the last estimate is returned as it is",
                    "1/3",
                    Status.TIMEOUT,
                    "One call took longer than 10 seconds and was stopped.",
                ),
            ),
        ),
        TaskResult(
            "consistency_training_pair",
            "A training pair without a teacher",
            10.0,
            True,
            (
                check(
                    "values",
                    "one x_0 and one epsilon, two levels",
                    "1",
                    Status.NOT_ATTEMPTED,
                    "Nothing was handed in for this task.",
                ),
            ),
        ),
    )
    fields: dict[str, object] = {
        "assignment": "consistency-models",
        "student": student,
        "status": GRADED,
        "reason": None,
        "tasks": tasks,
        "isolation": "namespaces",
        "seconds": 3.14159,
        "file": "consistency-models.ipynb",
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "versions": {"autograder": "0.1.0", "torch": "2.13.0"},
        "warnings": (
            Notice("locked_cell_changed", "A given cell was changed; the original was used.", "test_noisy_sample"),
        ),
    }
    return Report(**(fields | changes))  # type: ignore[arg-type]


def hostile() -> Report:
    """Return a report in which every text that could come from a student is hostile."""
    bad = CheckResult("values", "title " + HOSTILE, Fraction(1), Status.RUNTIME, Fraction(0), HOSTILE * 200)
    return graded(
        HOSTILE,
        reason=HOSTILE,
        file=HOSTILE,
        tasks=(TaskResult("noisy_sample", "The noisy sample", 10.0, False, (bad,)),),
        warnings=tuple(Notice("odd", HOSTILE, HOSTILE) for _ in range(500)),
    )


def is_plain(text: str) -> bool:
    """Whether a text has no control codes, marks of direction or halves of letters."""
    return not any(
        char in BIDI or (ord(char) < 32 and char not in "\n\t") or 0xD800 <= ord(char) < 0xE000 for char in text
    )


def sample_class(size: int, names: Iterable[str] = ()) -> Iterator[Report]:
    """Yield the reports of a class, by default of people with invented names, the same each time.

    Those who hold one check tend to hold the others; one in nine met a limit, and a few handed in nothing, or what
    cannot be read.
    """
    draw = random.Random(1)
    given = iter(names)
    task, *others = graded().tasks
    for place in range(size):
        student = next(given, f"{draw.choice(FIRST)} {draw.choice(LAST)} {place}")
        skill = draw.gauss(0.6, 1.0)
        if place % 17 == 9:
            reason, file = (NOTHING, "") if place % 2 else ("The file ends at byte 7.", f"{student}.ipynb")
            yield graded(
                student, status=UNREADABLE, reason=reason, file=file, warnings=(),
                tasks=tuple(replace(each, checks=()) for each in (task, *others)),
            )  # fmt: skip
            continue
        tasks = []
        for each in (task, *others):
            status = draw.choice([Status.WRONG] * 8 + [Status.TIMEOUT])
            mistake = draw.choice(["one_time", "swapped_weights", None])
            message = f"It seems to be the {mistake}, at 0.5. Is it, {student}?"
            checks = [
                replace(check, status=Status.PASSED, earned=Fraction(1), message="", misconception=None)
                if draw.gauss(0.0, 1.0) < skill
                else replace(check, status=status, earned=Fraction(0), message=message, misconception=mistake)
                for check in each.checks
            ]
            tasks.append(replace(each, checks=tuple(checks)))
        notices = (Notice("locked_cell_changed", f"{student} changed it.", student),) if place % 7 == 3 else ()
        yield graded(
            student, tasks=tuple(tasks), seconds=round(draw.lognormvariate(1.3, 0.4), 2), warnings=notices,
            file=f"{student}.ipynb", sha256=hashlib.sha256(student.encode("utf-8", "replace")).hexdigest(),
        )  # fmt: skip
