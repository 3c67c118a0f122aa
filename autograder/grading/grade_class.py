"""`autograder grade`: a class is marked by many workers and written by one process."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Protocol

from autograder.errors import UsageError
from autograder.grading.executors import Crew, Embedded, clear_up, cores, load_ahead
from autograder.grading.job import Job, Marking
from autograder.grading.overrides import Overrides, load_overrides
from autograder.grading.pool import mark_all
from autograder.grading.progress import ClassProgress, counted
from autograder.grading.provenance import in_one
from autograder.grading.results_folder import Results
from autograder.grading.stored_reports import read_report
from autograder.intake.archive import handed_in
from autograder.intake.class_folder import Handin, Roll, file_sha256
from autograder.intake.roster import read_roster
from autograder.judge.regrade import with_dependents
from autograder.render.class_page import ClassRow
from autograder.render.terminal import CLASS_ROWS, class_table, console
from autograder.report import GRADER_ERROR, Report
from autograder.text import for_log, how_many, number, one_line

NAMES_SHOWN = 20  # of students who handed nothing in; all of them have a row in grades.csv


class Gradebook(Protocol):
    """Where marks are entered besides the results: nbgrader's gradebook, which marking alone does not need."""

    def holds(self, report: Report, handin: Handin) -> bool:
        """Return whether this very report was entered last."""

    def write(self, report: Report, handin: Handin) -> None:
        """Enter a report."""


@dataclass(frozen=True)
class ClassJob:
    """What `autograder grade` was asked to do."""

    folder: Path
    out: Path
    workers: int | None = None  # None: as many as there are cores
    force: bool = False  # mark again what is already done
    only: Sequence[str] = ()  # tasks to mark again, with what depends on them; the rest of each report is kept
    scheduler: str | None = None  # the address of a Dask scheduler, or "local"; None: worker processes of our own
    roster: Path | None = None  # a CSV file of who should hand in
    verbose: bool = False  # a line a submission
    open_gradebook: Callable[[], AbstractContextManager[Gradebook | None]] = nullcontext  # nbgrader's


def grade_class(job: ClassJob, marking: Marking, crew: Crew | None = None) -> int:
    """Mark a class and print its table; returns 4 when the grader itself failed on a submission, else 0.

    `crew` marks instead of what `job` names: any executor, as `crew.Lent`. Raises UsageError for a folder that is
    missing or empty, IsolationMissing, and DiskFull; what was done by then stays written.
    """
    roster = read_roster(job.roster) if job.roster is not None else None
    with handed_in(job.folder) as folder:
        _check_place(job, folder)
        return _grade(job, marking, crew, Roll(folder, job.out, marking.assignment.name, roster))


def _grade(job: ClassJob, marking: Marking, crew: Crew | None, roll: Roll) -> int:
    only = with_dependents(job.only, marking.assignment)
    clear_up()
    with Results(job.out, marking) as results, ClassProgress(len(roll), job.verbose) as progress:
        todo = _Todo(roll, progress, lambda handin: not job.force and results.is_done(handin, only))
        first = next(todo, None)
        if first is not None and crew is None and job.scheduler is None:
            load_ahead()  # to open the gradebook takes a second too
        with job.open_gradebook() as gradebook:
            keep = _Keeper(results, gradebook, load_overrides(marking.assignment))
            how = in_one(results.how)
            if first is not None:  # else there is no need of workers
                jobs = (Job(handin, marking, how, results.regrade(handin, only)) for handin in chain([first], todo))
                with _crew(job, crew, len(roll)) as workers, closing(mark_all(jobs, workers)) as marked:
                    for done, report in marked:
                        how_kept = done.regrade.how_kept if done.regrade else {}
                        progress.done(keep.write(done.handin, replace(report, how=how_kept)))
            rows = results.finish(keep.up_to_date(roll))
        _print_names("marked again, the rest kept", only if first is not None else ())
        _print_names("Handed in anew while this class was marked; run again to mark that", keep.changed)
        return _show(results, rows, roll, todo.kept - keep.decided, keep.decided)


def _check_place(job: ClassJob, folder: Path) -> None:
    if folder != job.folder and job.scheduler not in (None, "local"):
        raise UsageError(
            f"{job.folder} is unpacked here, where other machines cannot read it; unpack it where they can"
        )


class _Keeper:
    """Writes what came of a submission wherever it is kept, with what persons decided about it."""

    def __init__(self, results: Results, gradebook: Gradebook | None, overrides: Overrides) -> None:
        self._results = results
        self._gradebook = gradebook
        self._overrides = overrides
        self.written: set[str] = set()  # whose reports need no second look
        self.changed: list[str] = []  # who handed in another notebook since
        self.decided = 0  # stored marks that a person's decision has changed since

    def write(self, handin: Handin, report: Report) -> Report:
        report = self._overrides.apply(report)
        self._enter(handin, report)  # first: what is stored in the results counts as done
        self._results.write(handin, report)
        self.written.add(handin.student)
        return report

    def up_to_date(self, roll: Roll) -> Iterator[Report]:
        """Yield what is stored of a class, each report read once; those of before are brought up to date."""
        for handin in roll:
            stored = read_report(self._results.out, handin.student)
            if stored is not None:
                yield stored if handin.student in self.written else self._brought_up_to_date(handin, stored)

    def _brought_up_to_date(self, handin: Handin, stored: Report) -> Report:
        """Write again what was decided since, or what was marked without this gradebook."""
        if stored.status == GRADER_ERROR:
            return stored
        if self._overrides.apply(stored) != stored:
            self.decided += 1
            return self.write(handin, stored)
        if self._gradebook is not None and not self._gradebook.holds(stored, handin):
            self._enter(handin, stored)
        return stored

    def _enter(self, handin: Handin, report: Report) -> None:
        """Write to the gradebook, which shows what was handed in, unless that is another notebook by now."""
        if file_sha256(handin.notebook) != report.sha256:
            self.changed.append(handin.student)
        elif self._gradebook is not None:
            self._gradebook.write(report, handin)


class _Todo:
    """Yields what is not done yet, and counts what is."""

    def __init__(self, roll: Roll, progress: ClassProgress, is_done: Callable[[Handin], bool]) -> None:
        self.kept = 0
        self._handins = iter(roll)
        self._progress = progress
        self._is_done = is_done

    def __iter__(self) -> Iterator[Handin]:
        return self

    def __next__(self) -> Handin:
        for handin in self._handins:
            if not self._is_done(handin):
                return handin
            self.kept += 1
            self._progress.keep()
        raise StopIteration


def _crew(job: ClassJob, crew: Crew | None, most: int) -> AbstractContextManager[Crew]:
    if crew is not None:
        return nullcontext(crew)
    workers = max(1, min(job.workers or cores(), most))
    if job.scheduler is None:
        return nullcontext(Embedded(workers))
    from autograder.grading.dask_cluster import open_cluster

    return open_cluster(job.scheduler, workers)


def _show(results: Results, rows: Sequence[ClassRow], roll: Roll, kept: int, decided: int) -> int:
    out = console()
    out.print(class_table(map(_told, rows[:CLASS_ROWS]), len(roll)))
    if roll.system:
        out.print(f"Read as a download from {roll.system}: the students are the numbers in its names.")
    counts = Counter(row.status for row in rows)
    out.print(f"{how_many(len(roll), 'student')}: {counted(counts)}.")
    _print_names(f"{len(roll.absent)} handed nothing in", roll.absent)
    _print_names(f"{len(roll.not_on_roster)} not on the roster", roll.not_on_roster)
    _print_names("Passed over, for they are no notebook and no folder of a student's", roll.passed_over)
    if kept:
        out.print(f"{kept} of {len(roll)} were marked before and are unchanged; --force marks them again.")
    if decided:
        out.print(f"{decided} of {len(roll)} changed by a person's decision, entered or taken back; not marked again.")
    failed = counts[GRADER_ERROR]
    if failed:
        out.print(
            f"The grader itself failed on {failed}; why is in {results.staff}. Run again to retry them.", soft_wrap=True
        )
    out.print(f"The class: {results.index}", soft_wrap=True)
    return 4 if failed else 0


def _print_names(what: str, names: Sequence[str]) -> None:
    if names:
        more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
        shown = ", ".join(one_line(name) for name in names[:NAMES_SHOWN])
        console().print(for_log(f"{what}: {shown}{more}."), soft_wrap=True)


def _told(row: ClassRow) -> tuple[str, str, str, str]:
    """Return what the table on the terminal says of a student."""
    score = "–" if row.score is None else number(row.score)
    return row.student, f"{score} / {number(row.max_score)}", number(row.bonus), row.status
