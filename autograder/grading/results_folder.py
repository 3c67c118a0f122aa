"""The folder of results: a report a student, the table of the class, and what is already done."""

from __future__ import annotations

import contextlib
import csv
import fcntl
import hashlib
import io
import json
import os
import platform
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from autograder.assignment import Task
from autograder.errors import UsageError
from autograder.grading.class_report import INDEX, gather
from autograder.grading.job import Marking
from autograder.grading.provenance import how_marked
from autograder.grading.stored_reports import GRADES, read_record, read_report
from autograder.intake.class_folder import LOCK, STAFF, Handin, file_sha256
from autograder.judge.regrade import Regrade, fits
from autograder.render.class_page import ClassRow, to_class_page
from autograder.render.html import to_html
from autograder.report import GRADED, GRADER_ERROR, Report, json_text
from autograder.system.file_names import file_name
from autograder.system.files import remove_leftovers, write_atomically
from autograder.text import clean, for_log, no_formula


class Results:
    """Reads and writes OUT; there is one writer, the main process."""

    def __init__(self, out: Path, marking: Marking) -> None:
        """Make the folders where they are missing; raises UsageError where that is impossible."""
        self.out = out
        self.staff = out / STAFF
        self._tasks = marking.assignment.tasks
        self.how = how_marked(marking)
        try:
            self.out.mkdir(parents=True, exist_ok=True)
            self.staff.mkdir(mode=0o700, exist_ok=True)
            self._lock = _lock(out)
        except OSError as error:
            raise UsageError(f"{out} cannot hold the results: {os.strerror(error.errno or 0)}") from None
        remove_leftovers(self.out)
        remove_leftovers(self.staff)

    def __enter__(self) -> Results:
        return self

    def __exit__(self, *_: object) -> None:
        """Give the folder free for others."""
        os.close(self._lock)

    @property
    def index(self) -> Path:
        """The page of the class."""
        return self.out / INDEX

    def is_done(self, handin: Handin, only: Sequence[str] = ()) -> bool:
        """Return whether the report of this very submission, marked in this very way, is stored whole.

        `only`: whether these tasks were marked in this way.
        """
        record = self._record(handin)
        how = record.get("how", {})
        if only:
            return bool(record) and all(how.get(task) == self.how[task] for task in only)
        return bool(record) and how == self.how

    def regrade(self, handin: Handin, only: Sequence[str]) -> Regrade | None:
        """Return how to mark these tasks alone; None where no report is stored that can keep the others."""
        stored = read_report(self.out, handin.student) if only and self._record(handin) else None
        if stored is None or stored.status != GRADED or not fits(stored, self._tasks):
            return None
        regrade = Regrade(tuple(only), stored)
        return regrade if regrade.kept else None

    def _record(self, handin: Handin) -> dict[str, Any]:
        """Return what is kept on the stored report of this very submission; {} where that is not whole."""
        record = read_record(self.out, handin.student)
        report = self._report(handin.student)
        try:
            stored = hashlib.sha256(report.read_bytes()).hexdigest()
        except OSError:
            return {}
        whole = (
            record.get("key") == _key(handin, file_sha256(handin.notebook))
            and record.get("report_sha256") == stored
            and isinstance(record.get("how"), dict)
            and report.with_name(f"{file_name(handin.student)}.html").is_file()
        )
        return record if whole else {}

    def write(self, handin: Handin, report: Report) -> None:
        """Store a report; its marks that were made before have a hash in `report.how`.

        The staff's file comes last: with its key it says that the others are there.
        """
        name = file_name(handin.student)
        text = report.to_json()
        # Our own fault is never done: the next run tries again.
        key = "" if report.status == GRADER_ERROR else _key(handin, report.sha256)
        record = {
            "student": report.student,
            "key": key,
            "how": {**self.how, **report.how},
            "report_sha256": hashlib.sha256(text.encode()).hexdigest(),
            "exact": report.exact(),
            "staff": report.staff,
            "figures": report.figures,
        }
        write_atomically(self.out / f"{name}.html", to_html(report))
        write_atomically(self._report(handin.student), text)
        write_atomically(self._staff(handin.student), json_text(record))

    def finish(self, reports: Iterable[Report]) -> list[ClassRow]:
        """Write grades.csv and index.html from the stored reports, one in memory at a time; returns the rows."""
        kept = gather(reports, lambda report: report.how != self.how, self._tasks)
        write_atomically(self.out / GRADES, grades_csv(self._tasks, kept.rows))
        write_atomically(self.index, to_class_page(kept))
        return kept.rows

    def _report(self, student: str) -> Path:
        return self.out / f"{file_name(student)}.json"

    def _staff(self, student: str) -> Path:
        return self.staff / f"{file_name(student)}.json"


def grades_csv(tasks: Iterable[Task], rows: Iterable[ClassRow]) -> str:
    """Return the class as CSV; a name that a spreadsheet would take for a formula gets a quote (') in front."""
    file = io.StringIO()
    table = csv.writer(file, lineterminator="\n")
    table.writerow(["student", "score", "max_score", "bonus", "status", *(task.id for task in tasks)])
    for row in rows:
        # No score is an empty cell: the grader failed, which is not a 0, in no column.
        tasks_scores = row.tasks if row.score is not None else ("",) * len(row.tasks)
        table.writerow([no_formula(row.student), row.score, row.max_score, row.bonus, row.status, *tasks_scores])
    return file.getvalue()


def _lock(out: Path) -> int:
    """Take the folder for this process; the lock goes with the process, however that ends.

    NFS and other shared file systems hold it against other machines too; the few that know no locks hold nobody.
    """
    descriptor = os.open(out / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        who = for_log(clean(os.read(descriptor, 200).decode("utf-8", "replace"), 200)) or "elsewhere"
        os.close(descriptor)
        raise UsageError(
            f"another `autograder grade` is at work on {out} ({who}); wait for it, or choose another --out"
        ) from None
    except OSError:
        return descriptor  # a file system without locks
    os.ftruncate(descriptor, 0)
    with contextlib.suppress(OSError):  # on a full disk the lock holds all the same
        os.pwrite(descriptor, f"process {os.getpid()} on {platform.node()}".encode(), 0)
    return descriptor


def _key(handin: Handin, sha256: str) -> str:
    """Return a hash of what was handed in, and by whom."""
    name = handin.notebook.name if handin.notebook else None
    facts = [handin.student, handin.handed_in, name, sha256, [notice.message for notice in handin.notices]]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()
