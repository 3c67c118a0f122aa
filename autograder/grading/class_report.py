"""A class's report from its stored reports, read one at a time; of each a row of the table is kept, and its counts."""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

from autograder.assignment import Task
from autograder.errors import UsageError
from autograder.grading.job import NOTHING, Marking
from autograder.grading.provenance import how_marked
from autograder.grading.stored_reports import A_STORED_FILE, StoredClass, stored_files
from autograder.render.class_page import ClassReport, ClassRow, Key, to_class_page
from autograder.render.class_statistics import LIMITS
from autograder.report import UNREADABLE, Report
from autograder.system.file_names import file_name
from autograder.system.files import refuse_to_replace, write_atomically

INDEX, ANONYMOUS = "index.html", "anonymous.html"
IsStale = Callable[[Report], bool | None]  # whether a report was marked in another way than now; None: not known


def gather(reports: Iterable[Report], is_stale: IsStale, tasks: Iterable[Task] = (), folder: str = "") -> ClassReport:
    """Return the report on a class, in which of each of its reports a row and its counts are kept.

    `tasks` are the columns, by default the first report's; `folder` is where the pages of the reports are, seen from
    the class's.
    """
    kept = ClassReport(titles={task.id: task.title for task in tasks})
    for report in reports:
        kept.assignment = report.assignment
        kept.titles = kept.titles or {task.id: task.title for task in report.tasks}
        kept.statistics.add(report)
        stale = is_stale(report)
        kept.stale = None if stale is None or kept.stale is None else kept.stale + stale
        kept.rows.append(row_of(report, kept.titles, bool(stale), folder))
    return kept


def write_class_report(
    out: Path, marking: Marking | None, page: Path | None = None, anonymous: bool = False
) -> tuple[Path, ClassReport]:
    """Write the page of a class from the reports stored in `out`; returns where it is and what is in it.

    The page is INDEX or ANONYMOUS in that folder unless it is named.

    Without `marking` it is not known which reports are stale. Raises UsageError for a folder that holds no report, and
    where the page would replace what is stored.
    """
    page = page or out / (ANONYMOUS if anonymous else INDEX)
    refuse_to_replace(page, stored_files(out), A_STORED_FILE)
    stored = StoredClass(out)
    report = gather(stored, _stale_by(marking), folder=folder_from(page, out))
    if not report.rows and stored.broken:
        raise UsageError(f"{out} holds no report that can be read; `autograder grade` writes them again")
    if not report.rows:
        raise UsageError(f"{out} holds no reports; `autograder grade` writes them")
    report.rows.sort(key=lambda row: row.student)
    report.left_over, report.broken = stored.left_over, stored.broken
    write_atomically(page, to_class_page(report, anonymous=anonymous))
    return page, report


def kind_of(report: Report) -> str:
    """Return what came of a student's submission, one of the page's STATUSES."""
    if report.status == UNREADABLE and not report.file:
        return "absent" if report.reason == NOTHING else "no_notebook"
    return report.status


def folder_from(page: Path, out: Path) -> str:
    """Return the address of the folder of reports, seen from a page."""
    way = os.path.relpath(out.resolve(), page.resolve().parent)
    return "" if way == "." else f"{quote(way)}/"


def row_of(report: Report, tasks: Iterable[str], stale: bool = False, folder: str = "") -> ClassRow:
    """Return a student's row of the table, with a column for each of the tasks."""
    scores = {task.id: task.score for task in report.tasks}
    return ClassRow(
        student=report.student,
        link=f"{folder}{quote(f'{file_name(report.student)}.html')}",
        score=report.score,
        max_score=report.max_score,
        bonus=report.bonus,
        status=report.status,
        tasks=tuple(scores.get(task, 0.0) for task in tasks),
        seconds=report.seconds,
        kind=kind_of(report),
        keys=frozenset(_keys(report, stale)),
    )


def _stale_by(marking: Marking | None) -> IsStale:
    """Return the test for reports that were marked in another way than `marking` would."""
    if marking is None:
        return lambda report: None
    known: dict[str, dict[str, str]] = {}

    def is_stale(report: Report) -> bool:
        if report.isolation not in known:
            known[report.isolation] = how_marked(replace(marking, isolation=report.isolation))
        return report.how != known[report.isolation]

    return is_stale


def _keys(report: Report, stale: bool) -> Iterator[Key]:
    yield "kind", kind_of(report)
    if stale:
        yield ("stale",)
    if report.staff.get("suspicions"):
        yield ("suspicious",)
    yield from (("notice", notice.code) for notice in report.warnings)
    for task in report.tasks:
        yield from (("limit", check.status.value) for check in task.checks if check.status in LIMITS)
        yield from (("mistake", task.id, check.misconception) for check in task.checks if check.misconception)
