"""The progress of a class as a terminal of ordinary width shows it."""

from __future__ import annotations

import io
import re
from types import SimpleNamespace

import pytest
from rich.console import Console

from autograder.grading.progress import ClassProgress, in_time
from autograder.report import GRADED, GRADER_ERROR, UNREADABLE, unmarked
from tests.sample_reports import EMPTY, graded


def test_bar_fits_a_terminal_of_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    """How many of how many, rate, estimate and the counts of a class of 300 are all there to read."""
    file = io.StringIO()
    screen = Console(file=file, force_terminal=True, width=80, no_color=True, highlight=False)
    monkeypatch.setattr("autograder.grading.progress.console", lambda to_stderr: screen)
    monkeypatch.setattr(
        "autograder.grading.progress.time", SimpleNamespace(monotonic=iter(range(0, 1000, 20)).__next__)
    )
    with ClassProgress(300, verbose=False) as progress:
        for _ in range(100):
            progress.keep()
        for status in (GRADED, UNREADABLE, GRADER_ERROR, GRADER_ERROR):
            progress.done(unmarked(EMPTY, "ada", status, "why") if status != GRADED else graded())
    bar, counts = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", file.getvalue()).split("marking ")[-1].splitlines()[:2]
    assert bar.endswith("104/300 3 a minute, 1:05:20 left")
    assert counts.strip() == "1 graded, 1 unreadable, 2 grader errors"


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (59.6, "1:00"), (3599, "59:59"), (36000, "10:00:00")])
def test_in_time(seconds: float, text: str) -> None:
    """Hours are told from minutes."""
    assert in_time(seconds) == text
