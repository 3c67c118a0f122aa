"""What a person sees while a class is marked: a bar with rate, estimate and counts; on a pipe nothing that moves."""

from __future__ import annotations

import time
from collections import Counter
from types import TracebackType

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from autograder.render.terminal import console
from autograder.render.text import for_log, number, one_line
from autograder.report import GRADED, GRADER_ERROR, UNREADABLE, Report

NAMES = {GRADED: "graded", UNREADABLE: "unreadable", GRADER_ERROR: "grader error"}


class ClassProgress:
    """Counts reports as they come. Use as a context manager."""

    def __init__(self, total: int, verbose: bool) -> None:
        self.counts: Counter[str] = Counter()
        self._verbose = verbose
        self._screen = console(to_stderr=True)
        self._started = time.monotonic()
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TextColumn("{task.fields[counts]}"),
        )
        self._progress = Progress(*columns, console=self._screen, disable=not self._screen.is_terminal, transient=True)
        self._left = total
        self._bar = self._progress.add_task("marking", total=total, rate="", counts="")

    def __enter__(self) -> ClassProgress:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def keep(self) -> None:
        """Count a submission that was marked before; it says nothing of how long the others take."""
        self._left -= 1
        self._progress.advance(self._bar)

    def done(self, report: Report) -> None:
        """Count a report that has just been stored, and tell of it where each is to be told."""
        self.counts[report.status] += 1
        marked = self.counts.total()
        self._left -= 1
        each = (time.monotonic() - self._started) / marked
        minutes, seconds = divmod(round(each * self._left), 60)
        rate = f"{60 / each:.3g} a minute, {minutes}:{seconds:02d} left"
        self._progress.update(self._bar, advance=1, rate=rate, counts=counted(self.counts))
        if self._verbose:
            self._screen.print(_line(report), soft_wrap=True)


def counted(counts: Counter[str]) -> str:
    """Return how many there are of each status, in words."""
    return ", ".join(f"{counts[status]} {name}" for status, name in NAMES.items() if counts[status])


def _line(report: Report) -> Text:
    score = "–" if report.score is None else number(report.score)
    text = f"{one_line(report.student)}: {score} / {number(report.max_score)}, {NAMES[report.status]}"
    if report.reason:
        text += f": {one_line(report.reason)}"
    return Text(for_log(f"{text} ({report.seconds:.1f} s)"), "" if report.status == GRADED else "yellow")
