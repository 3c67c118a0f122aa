"""`autograder grade`: a class is marked by many workers and written by one process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from autograder.marking import Marking
from autograder.overrides import Overrides, load_overrides
from autograder.pool import cores, mark_all
from autograder.render.terminal import CLASS_ROWS, class_table, console
from autograder.render.text import number
from autograder.report import GRADER_ERROR, Report
from autograder.results import Results
from autograder.stored import read_report
from autograder.students import Handin, handins

if TYPE_CHECKING:
    from autograder.gradebook import Gradebook  # and with it nbgrader, which marking alone does not need


@dataclass(frozen=True)
class ClassJob:
    """What `autograder grade` was asked to do."""

    folder: Path
    out: Path
    workers: int | None = None  # None: as many as there are cores
    force: bool = False  # mark again what is already done
    open_gradebook: Callable[[], AbstractContextManager[Gradebook | None]] = nullcontext  # nbgrader's


def grade_class(job: ClassJob, marking: Marking) -> int:
    """Mark a class and print its table; returns 4 when the grader itself failed on a submission, else 0.

    Raises UsageError for a folder that is missing or empty, IsolationMissing, and GraderFault for a full disk;
    what was done by then stays written.
    """
    submitted = list(handins(job.folder, leave_out=job.out))
    results = Results(job.out, marking)
    todo = [handin for handin in submitted if job.force or not results.is_done(handin)]
    workers = max(1, min(job.workers or cores(), len(todo)))
    with (
        job.open_gradebook() as gradebook,
        _progress() as progress,
        closing(mark_all(todo, marking, workers)) as marked,
    ):
        bar = progress.add_task("marking", total=len(submitted), completed=len(submitted) - len(todo))
        keep = _Keeper(results, gradebook, load_overrides(marking.assignment))
        for handin, report in marked:
            keep.write(handin, report)
            progress.advance(bar)
        for handin in submitted:
            keep.bring_up_to_date(handin, read_report(job.out, handin.student))
    students = [handin.student for handin in submitted]
    results.finish(students)
    return _show(results, students, len(submitted) - len(todo))


class _Keeper:
    """Writes what came of a submission wherever it is kept, with what persons decided about it."""

    def __init__(self, results: Results, gradebook: Gradebook | None, overrides: Overrides) -> None:
        self._results = results
        self._gradebook = gradebook
        self._overrides = overrides

    def write(self, handin: Handin, report: Report) -> None:
        report = self._overrides.apply(report)
        if self._gradebook is not None:
            self._gradebook.write(report, handin)  # first: what is stored in the results counts as done
        self._results.write(handin, report)

    def bring_up_to_date(self, handin: Handin, stored: Report | None) -> None:
        """Write again what was decided since, or what was marked without this gradebook."""
        if stored is None or stored.status == GRADER_ERROR:
            return
        if self._overrides.apply(stored) != stored:
            self.write(handin, stored)
        elif self._gradebook is not None and not self._gradebook.holds(stored):
            self._gradebook.write(stored, handin)


def _show(results: Results, students: Sequence[str], kept: int) -> int:
    out = console()
    out.print(class_table(_first_rows(results, students), len(students)))
    if kept:
        out.print(f"{kept} of {len(students)} were marked before and are unchanged; --force marks them again.")
    failed = sum(row.status == GRADER_ERROR for row in results.rows(students))
    if failed:
        out.print(f"The grader itself failed on {failed}; why is in {results.staff}. Run again to retry them.")
    out.print(f"The class: {results.index}", soft_wrap=True)
    return 4 if failed else 0


def _first_rows(results: Results, students: Sequence[str]) -> Iterator[tuple[str, str, str, str]]:
    for row in results.rows(islice(students, CLASS_ROWS)):
        score = "–" if row.score is None else number(row.score)
        yield row.student, f"{score} / {number(row.max_score)}", number(row.bonus), row.status


def _progress() -> Progress:
    screen = console(to_stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=screen, disable=not screen.is_terminal, transient=True)
