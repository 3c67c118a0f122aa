"""What staff are told about a mark, and students are not."""

from __future__ import annotations

import io
from dataclasses import replace

from rich.console import Console

from autograder.checking.check import seed_of
from autograder.render.staff import explained
from autograder.report import Decision
from autograder.settings import Settings
from tests.nbgrader_courses import report_of
from tests.notebooks import assignment


def test_staff_see_checks_limits_versions_and_seeds() -> None:
    """Everything that a mark depends on is printed."""
    report = report_of("ada", sha256="a" * 64)
    screen = Console(width=200, record=True, file=io.StringIO())
    for part in explained(report, assignment(), Settings()):
        screen.print(part)
    text = screen.export_text()
    for task in assignment().tasks:
        assert task.id in text
        assert f"{seed_of(report.sha256, task.id, 'values'):016x}" in text
    for word in ("a" * 64, "limit call seconds", "limit memory mib", "namespaces", assignment().prelude_sha256[:40]):
        assert word in text


def test_nothing_is_cut_on_a_narrow_terminal() -> None:
    """Hashes, reasons and misconceptions are broken over lines: staff compare them to the end."""
    report = report_of("ada", sha256="a" * 64)
    first = report.tasks[0]
    check = replace(first.checks[0], misconception="m" * 60)
    first = replace(first, checks=(check, *first.checks[1:]), override=Decision(3.0, "Right, in another form. " * 9))
    screen = Console(width=80, record=True, file=io.StringIO())
    for part in explained(replace(report, tasks=(first, *report.tasks[1:])), assignment(), Settings()):
        screen.print(part)
    text = screen.export_text()
    assert "…" not in text
    assert "".join(text.split()).count("a" * 64) == 1
    assert text.count("m" * 10) == 6


def test_seeds_are_the_submissions_own() -> None:
    """A seed depends on the submission, the task and the check, and on nothing else."""
    seeds = {seed_of(sha, task, check) for sha in "ab" for task in ("t", "u") for check in ("c", "d")}
    assert len(seeds) == 8
    assert seed_of("a", "t", "c") == seed_of("a", "t", "c")
