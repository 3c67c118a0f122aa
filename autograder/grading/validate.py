"""`autograder validate`: the assignment proves itself through the real judge, boxes and all.

The reference must get full marks, the blank release zero, every recorded wrong answer of tests/submissions/ must lose
points in its own task and nowhere else, every recorded right answer must keep all of its points.
"""

import copy
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat

from autograder.assignment import Assignment
from autograder.errors import UsageError
from autograder.grading.executors import Embedded, cores
from autograder.grading.job import Job, Marking
from autograder.grading.pool import mark_all
from autograder.grading.recorded_answers import Record, load_bank
from autograder.intake.class_folder import Handin
from autograder.render.matrix import print_matrix, to_matrix_page
from autograder.render.terminal import console
from autograder.report import GRADED, Report, TaskResult
from autograder.settings import load_settings
from autograder.system.files import make_folder, write_atomically

REFERENCE, BLANK = "the reference", "the blank release"


@dataclass(frozen=True)
class Exhibit:
    """One submission of the proof: a record of the bank, or the reference or the blank release."""

    name: str
    record: Record | None = None


@dataclass(frozen=True)
class Verdict:
    """What came of an exhibit, and what of that should not have come."""

    exhibit: Exhibit
    report: Report
    faults: tuple[str, ...] = field(default=())


def validate_command(
    assignment: Assignment, only: Sequence[str] = (), page: Path | None = None, workers: int | None = None
) -> int:
    """Mark all exhibits, print the matrix and write its page, and return 1 where a fault was found, else 0.

    `only` names tasks: the records of these alone, by default all. The page is build/matrix.html of the course, the
    workers one a core, at least two, so that the proof is one of the class too.
    Raises UsageError where release/ is missing or a task is not there, IsolationMissing where no sandbox is to be had.
    """
    bank = load_bank(assignment)
    wanted = {assignment.task(name, "--only: ").id for name in only}
    records = [record for record in bank if not wanted or attacked_by(record) in wanted]
    out = console()
    exhibits = [Exhibit(REFERENCE), Exhibit(BLANK), *(Exhibit(f"{r.task}/{r.name}", r) for r in records)]
    verdicts = _judged(assignment, exhibits, workers or max(2, cores()))
    rows = [(v.exhibit.name, v.report, bool(v.faults)) for v in verdicts]
    print_matrix(out, assignment.tasks, rows)
    if not bank:
        recorded = assignment.recorded.relative_to(assignment.course).as_posix()
        out.print(f"{recorded} holds no recorded answers: only the reference and the blank release were tried.")
    faults = [f"{verdict.exhibit.name}: {fault}" for verdict in verdicts for fault in verdict.faults]
    for fault in faults:
        out.print(f"fault: {fault}", soft_wrap=True)
    page = page or assignment.course / "build" / "matrix.html"
    make_folder(page.parent)
    write_atomically(page, to_matrix_page(assignment.name, assignment.tasks, rows))
    kinds = [sum(r.kind == kind for r in records) for kind in ("wrong", "right")]
    counts = f"{kinds[0]} wrong and {kinds[1]} right answers, {len(faults)} faults"
    out.print(f"{counts}; the matrix: {page}", soft_wrap=True)
    return 1 if faults else 0


def attacked_by(record: Record) -> str:
    """Return the task whose points a wrong record loses, and a right one keeps."""
    return record.quality or record.task


def _judged(assignment: Assignment, exhibits: Sequence[Exhibit], workers: int) -> list[Verdict]:
    marking = Marking(assignment, load_settings(assignment.course), "namespaces")
    found: dict[str, Report] = {}
    with tempfile.TemporaryDirectory() as folder, console(to_stderr=True).status("") as status:
        jobs = [Job(handin, marking) for handin in _handed_in(assignment, exhibits, Path(folder))]
        with closing(mark_all(jobs, Embedded(min(workers, len(exhibits))))) as marked:
            for job, report in marked:
                found[job.handin.student] = report
                status.update(f"{len(found)} of {len(exhibits)}: {job.handin.student}")
    reports = [(exhibit, found[exhibit.name]) for exhibit in exhibits]
    return [Verdict(exhibit, report, tuple(faults_of(exhibit, report))) for exhibit, report in reports]


def _handed_in(assignment: Assignment, exhibits: Sequence[Exhibit], folder: Path) -> Iterator[Handin]:
    """Write each exhibit as the notebook that a student would hand in."""
    path = assignment.released / assignment.file
    try:
        blank = nbformat.read(path, as_version=4)
    except FileNotFoundError:
        raise UsageError(f"no release at {path}; run `autograder release`") from None
    for number, exhibit in enumerate(exhibits):
        notebook = blank if exhibit.name == BLANK else answered(blank, assignment, exhibit.record)
        place = folder / f"{number}.ipynb"
        place.write_text(nbformat.writes(notebook), encoding="utf-8")
        yield Handin(exhibit.name, place)


def answered(blank: Any, assignment: Assignment, record: Record | None) -> Any:
    """Return the blank notebook with the reference's answers, but for what a record says."""
    notebook = copy.deepcopy(blank)
    answers = {cell.grade_id: cell.source for cell in assignment.reference}
    if record is not None:
        answers[record.task] = record.answer
    places = []
    for place, cell in enumerate(notebook.cells):
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        if grade_id in answers:
            cell.source = answers[grade_id]
            places.append(place)
    if record is not None and record.after:
        notebook.cells.insert(places[-1] + 1, nbformat.v4.new_code_cell(record.after))
    if record is not None and record.before:
        notebook.cells.insert(places[0], nbformat.v4.new_code_cell(record.before))
    return notebook


def faults_of(exhibit: Exhibit, report: Report) -> Iterator[str]:
    """Yield what should not have come of an exhibit, in sentences."""
    if report.status != GRADED:
        yield f"{report.status}: {report.reason}"
        return
    if exhibit.name == BLANK:
        if report.score or report.bonus:
            yield f"got {report.score:g} and a bonus of {report.bonus:g}; expected nothing"
        return
    record = exhibit.record
    attacked = attacked_by(record) if record is not None and record.kind == "wrong" else None
    for task in report.tasks:
        if task.id == attacked and record is not None:
            yield from _faults_of_attack(record, task)
        elif task.score != task.points:
            first = task.failed[0]
            yield f"lost {task.points - task.score:g} of {task.points:g} in {task.id} ({first.id}: {first.message})"


def _faults_of_attack(record: Record, task: TaskResult) -> Iterator[str]:
    """Yield where the attacked task came off otherwise than its record says."""
    if task.score == task.points:
        yield f"lost nothing in {task.id}"
        return
    failed = tuple(check.id for check in task.failed)
    first = task.failed[0]
    if record.loses == "all" and task.score:
        yield f"kept {task.score:g} in {task.id}; its record says all is lost"
    if record.keeps is not None and task.score != record.keeps:
        yield f"kept {task.score:g} in {task.id}; its record says {record.keeps:g}"
    if record.fails and failed != record.fails:
        yield f"failed {', '.join(failed)} in {task.id}; its record says {', '.join(record.fails)}"
    if record.status is not None and first.status.value != record.status:
        yield f"{first.id} in {task.id} says {first.status.value}; its record says {record.status}"
    if not record.quality and first.misconception != record.misconception:
        yield f"{first.id} in {task.id} recognises {first.misconception}; its record says {record.misconception}"
