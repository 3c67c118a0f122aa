"""What a person sees while a class is marked: a bar with rate, estimate and counts; on a pipe nothing that moves."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable

from rich.console import RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from autograder.render.terminal import console
from autograder.report import GRADED, GRADER_ERROR, UNREADABLE, Report
from autograder.text import for_log, number, one_line

NAMES = {GRADED: "graded", UNREADABLE: "unreadable", GRADER_ERROR: "grader error"}
COLUMNS = (TextColumn("{task.description}"), BarColumn(None), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"))


class ClassProgress:
    """Counts reports as they come. Use as a context manager."""

    def __init__(self, total: int, verbose: bool) -> None:
        self.counts: Counter[str] = Counter()
        self._verbose = verbose
        self._screen = console(to_stderr=True)
        self._started = time.monotonic()
        self._progress = _Bar(*COLUMNS, console=self._screen, disable=not self._screen.is_terminal, transient=True)
        self._left = total
        self._bar = self._progress.add_task("marking", total=total, rate="", counts="")

    def __enter__(self) -> ClassProgress:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
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
        rate = f"{60 / each:.3g} a minute, {in_time(each * self._left)} left"
        self._progress.update(self._bar, advance=1, rate=rate, counts=counted(self.counts))
        if self._verbose:
            self._screen.print(_line(report), soft_wrap=True)


class _Bar(Progress):
    """A bar with rate and estimate, and below it the counts: a narrow terminal cuts neither."""

    def get_renderables(self) -> Iterable[RenderableType]:
        for task in self.tasks:
            yield self.make_tasks_table([task])
            yield Text(task.fields["counts"], "dim")


def counted(counts: Counter[str]) -> str:
    """Return how many there are of each status, in words."""
    numbers = {name: counts[status] for status, name in NAMES.items() if counts[status]}
    return ", ".join(f"{n} {name}{'s' if name == NAMES[GRADER_ERROR] and n > 1 else ''}" for name, n in numbers.items())


def in_time(seconds: float) -> str:
    """Return a duration as m:ss, or as h:mm:ss from an hour on."""
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}:{rest:02d}"
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


def _line(report: Report) -> Text:
    score = "–" if report.score is None else number(report.score)
    text = f"{one_line(report.student)}: {score} / {number(report.max_score)}, {NAMES[report.status]}"
    if report.reason:
        text += f": {one_line(report.reason)}"
    return Text(for_log(f"{text} ({report.seconds:.1f} s)"), "" if report.status == GRADED else "yellow")
