"""nbgrader's gradebook, written by `autograder grade`: one transaction a student, a person's marks kept.

What SaveAutoGrades would write from the marked notebook is written here from the same notebook, read by nbgrader's own
rules. A table beside nbgrader's remembers for whom we wrote what: so a bonus that a person changed stays changed, and a
written answer that a person has marked asks to be looked at again only when the submission is another one.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import sqlalchemy as sa
from nbgrader import api
from nbgrader.preprocessors import AssignLatePenalties
from sqlalchemy.exc import SQLAlchemyError

from autograder.assignment import Assignment
from autograder.errors import GraderFault, UsageError
from autograder.intake.class_folder import Handin
from autograder.nbgrader_host.course import NbgraderCourse, load_course
from autograder.nbgrader_host.database import known_fault, reason, shown
from autograder.nbgrader_host.exchange import exchange_files, timestamp_of
from autograder.nbgrader_host.gradebook_rows import (
    WRITTEN,
    enter,
    fingerprint,
    new_submission,
    student_key,
    try_to_write,
)
from autograder.nbgrader_host.marked_notebook import add_verdicts, restored
from autograder.report import GRADER_ERROR, Report
from autograder.system.files import make_folder, write_atomically


class Gradebook:
    """The gradebook of a course, open for writing. Use as a context manager.

    `url` is any database that SQLAlchemy reaches, by default nbgrader's own setting; marked notebooks go to the
    folder `autograded`, by default where formgrader looks for them. Raises UsageError when the database cannot be had
    or the course's notebook does not fit what is in it.
    """

    def __init__(
        self,
        course: NbgraderCourse,
        assignment: Assignment,
        url: str | None = None,
        autograded: Path | None = None,
    ) -> None:
        self._course = course
        self._assignment = assignment
        self._autograded = autograded
        self.url = url or course.db_url
        try:
            self._book = api.Gradebook(self.url, course.folders.course_id)
            WRITTEN.create(self._book.engine, checkfirst=True)
            self._book.update_or_create_assignment(assignment.name)
            try_to_write(self._book.engine)
        except (SQLAlchemyError, ImportError, OSError) as error:
            cannot = UsageError(f"the gradebook {shown(self.url)} cannot be opened: {reason(error)}")
            raise known_fault(self.url, error) or cannot from error
        self._release = course.release(assignment, self.url)

    def __enter__(self) -> Gradebook:
        return self

    def __exit__(self, *_: object) -> None:
        self._book.close()

    def holds(self, report: Report, handin: Handin) -> bool:
        """Return whether this very report is what was written last, with the penalty that is due now.

        The penalty changes without the report: with an extension, the due date, the policy, or a later time stamp on
        the same notebook.
        """
        key, name = student_key(report.student), self._assignment.name
        with self._transaction() as db:
            try:
                submitted = self._book.find_submission_notebook(name, name, key)
            except api.MissingEntry:
                return False
            written = db.scalar(sa.select(WRITTEN.c.report).where(WRITTEN.c.notebook_id == submitted.id))
            if written != fingerprint(report):
                return False
            timestamp = timestamp_of(handin.notebook)
            if timestamp is not None and timestamp != submitted.assignment.timestamp:
                return False
            if submitted.late_submission_penalty != self._penalty(submitted):
                return False
        return self._notebook_path(report.student).is_file()

    def write(self, report: Report, handin: Handin) -> None:
        """Enter a report, and put the marked notebook where formgrader finds it.

        Of our own fault nothing is entered: it is no mark. Raises GraderFault when the database or the disk fails.
        """
        if report.status == GRADER_ERROR:
            return
        notebook = restored(handin.notebook, self._assignment, self._release)
        add_verdicts(notebook, report)
        path = self._notebook_path(report.student)
        make_folder(path.parent)
        for name, content in exchange_files(handin.notebook).items():
            write_atomically(path.with_name(name), content)
        with self._transaction() as db:
            submitted = self._submission(db, report.student, timestamp_of(handin.notebook))
            enter(db, submitted, notebook, report)
            submitted.late_submission_penalty = self._penalty(submitted)
            write_atomically(path, nbformat.writes(notebook))

    def knows(self, student: str) -> bool:
        """Say whether the student is in the gradebook."""
        with self._transaction() as db:
            return db.get(api.Student, student_key(student)) is not None

    def extend(self, student: str, hours: float) -> None:
        """Give a student more time than the others, at once also for what is marked; 0 takes an extension back."""
        with self._transaction() as db:
            submitted = self._submission(db, student, None)
            submitted.assignment.extension = datetime.timedelta(hours=hours) if hours else None
            submitted.late_submission_penalty = self._penalty(submitted)

    @contextmanager
    def _transaction(self) -> Iterator[Any]:
        db = self._book.db
        try:
            yield db
            db.commit()
        except SQLAlchemyError as error:
            db.rollback()
            why = f"{reason(error)}; what is entered stays, run the same command again"
            fault = GraderFault(f"the gradebook {shown(self.url)} was not written: {why}")
            raise known_fault(self.url, error) or fault from error
        except BaseException:
            db.rollback()
            raise
        finally:
            db.remove()

    def _submission(self, db: Any, student: str, timestamp: Any) -> api.SubmittedNotebook:
        """Return the student's row for the notebook; what is missing is made, all in the caller's transaction."""
        key, name = student_key(student), self._assignment.name
        try:
            submission = self._book.find_submission(name, key)
        except api.MissingEntry:
            person = db.get(api.Student, key) or api.Student(id=key)
            db.add(person)
            submission = new_submission(db, self._book.find_assignment(name), person)
        if timestamp is not None:
            submission.timestamp = timestamp
        found: api.SubmittedNotebook = next(each for each in submission.notebooks if each.name == name)
        return found

    def _penalty(self, submitted: api.SubmittedNotebook) -> float | None:
        """Return the points that the course's policy takes from the score in the database; None for none."""
        late = submitted.assignment.total_seconds_late
        if late <= 0:
            return None
        step = AssignLatePenalties(config=self._course.config)
        step.init_plugin()
        penalty = step.plugin_inst.late_submission_penalty(submitted.assignment.student_id, submitted.score, late)
        return None if penalty is None else min(max(penalty, 0.0), submitted.score)

    def _notebook_path(self, student: str) -> Path:
        key, name = student_key(student), self._assignment.name
        folder = self._autograded / key / name if self._autograded else self._course.autograded(key, name)
        return folder / self._assignment.file


def open_gradebook(assignment: Assignment, url: str | None, out: Path) -> Gradebook:
    """Return the gradebook to write: the course's own, or the one at `url`.

    Marked notebooks that belong to another gradebook than the course's own go into OUT/autograded, out of its way.
    """
    course = load_course(assignment.course)
    return Gradebook(course, assignment, url, autograded=out / "autograded" if url else None)


def extend_command(assignment: Assignment, url: str | None, student: str, hours: float) -> tuple[str, bool]:
    """Give a student so many hours more than the others, in place of what they had.

    Returns a sentence about it, and whether the gradebook knew the student.
    """
    with Gradebook(load_course(assignment.course), assignment, url) as gradebook:
        is_known = gradebook.knows(student)
        gradebook.extend(student, hours=hours)
    if not hours:
        return f"{student} has as much time as everybody.", is_known
    return f"{student} has {hours:g} hours more than the others; a penalty for lateness counts anew.", is_known
