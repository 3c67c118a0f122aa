"""nbgrader's gradebook, written by `autograder grade`: one transaction a student, a person's marks kept.

What SaveAutoGrades would write from the marked notebook is written here from the same notebook, read by nbgrader's own
rules. A table beside nbgrader's remembers for whom we wrote what: so a bonus that a person changed stays changed, and a
written answer that a person has marked asks to be looked at again only when the submission is another one.
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import sqlalchemy as sa
from nbgrader import api, utils
from nbgrader.preprocessors import AssignLatePenalties
from sqlalchemy.exc import SQLAlchemyError

from autograder.assignment import Assignment
from autograder.errors import DiskFull, GraderFault, UsageError
from autograder.intake.class_folder import Handin
from autograder.intake.file import open_regular
from autograder.nbgrader_host.course import NbgraderCourse, load_course
from autograder.nbgrader_host.marked_notebook import add_verdicts, restored
from autograder.report import GRADER_ERROR, Report
from autograder.system.file_names import file_name
from autograder.system.files import MAKE_ROOM, is_full, make_folder, write_atomically

KEPT = ("timestamp.txt", "submission_secret.txt")  # what nbgrader's exchange needs to bring the feedback back
_READ_ONLY_STATES = ("25006", "42501")  # PostgreSQL: a read-only transaction, and no right to write
LONGEST_ID = 128  # of nbgrader's column
_WRITTEN = sa.Table(
    "autograder_written",
    sa.MetaData(),
    sa.Column("notebook_id", sa.String(32), primary_key=True),  # of nbgrader's submitted_notebook
    sa.Column("report", sa.String(64), nullable=False),  # what `fingerprint` says of it
    sa.Column("sha256", sa.String(64), nullable=False),  # of the submission
    sa.Column("extra_credit", sa.Float),
)


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
            _WRITTEN.create(self._book.engine, checkfirst=True)
            self._book.update_or_create_assignment(assignment.name)
            _try_to_write(self._book.engine)
        except (SQLAlchemyError, ImportError, OSError) as error:
            if _is_full(error):
                raise DiskFull(f"the gradebook {_shown(self.url)} was not written: {MAKE_ROOM}") from error
            if _is_read_only(error):
                raise _closed(self.url, error) from error
            raise UsageError(f"the gradebook {_shown(self.url)} cannot be opened: {_reason(error)}") from error
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
        query = (
            sa.select(_WRITTEN.c.report, api.SubmittedNotebook)
            .join(api.SubmittedNotebook, api.SubmittedNotebook.id == _WRITTEN.c.notebook_id)
            .join(api.SubmittedAssignment, api.SubmittedAssignment.id == api.SubmittedNotebook.assignment_id)
            .join(api.Notebook, api.Notebook.id == api.SubmittedNotebook.notebook_id)
            .where(api.SubmittedAssignment.student_id == key, api.Notebook.name == name)
        )
        with self._transaction() as db:
            row = db.execute(query).one_or_none()
            if row is None or row[0] != fingerprint(report):
                return False
            submitted, timestamp = row[1], _timestamp(handin.notebook)
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
        for name, content in _exchange_files(handin.notebook).items():
            write_atomically(path.with_name(name), content)
        with self._transaction() as db:
            submitted = self._submission(db, report.student, _timestamp(handin.notebook))
            _enter(db, submitted, notebook, report)
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
            if _is_full(error):
                raise DiskFull(f"the gradebook {_shown(self.url)} was not written: {MAKE_ROOM}") from error
            if _is_read_only(error):
                raise _closed(self.url, error) from error
            reason = f"{_reason(error)}; what is entered stays, run the same command again"
            raise GraderFault(f"the gradebook {_shown(self.url)} was not written: {reason}") from error
        except BaseException:
            db.rollback()
            raise
        finally:
            db.remove()

    def _submission(self, db: Any, student: str, timestamp: Any) -> api.SubmittedNotebook:
        """Return the student's row for the notebook; what is missing is made, all in the caller's transaction."""
        key, name = student_key(student), self._assignment.name
        person = db.get(api.Student, key)
        if person is None:
            person = api.Student(id=key)
            db.add(person)
        assignment = db.scalars(sa.select(api.Assignment).where(api.Assignment.name == name)).one()
        submission = db.scalars(
            sa.select(api.SubmittedAssignment).where(
                api.SubmittedAssignment.assignment_id == assignment.id, api.SubmittedAssignment.student_id == key
            )
        ).one_or_none()
        if submission is None:
            submission = _new_submission(db, assignment, person)
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


def student_key(student: str) -> str:
    """Return a student's name as the gradebook and formgrader's folders can hold it: itself but for odd ones."""
    if len(student) <= LONGEST_ID and "/" not in student and student.isprintable() and student not in ("", ".", ".."):
        return student
    name = file_name(student)
    return name if len(name) <= LONGEST_ID else f"{name[:100]}~{hashlib.sha256(student.encode()).hexdigest()[:16]}"


def fingerprint(report: Report) -> str:
    """Return a hash of all that a report says, but for how long it took."""
    said = report.to_dict() | {"seconds": None}
    return hashlib.sha256(repr(said).encode()).hexdigest()


def enter_bonus(db: Any, submitted: api.SubmittedNotebook, report: Report) -> None:
    """Enter the bonus as extra credit, unless a person changed it since, and remember what we entered."""
    record = db.execute(sa.select(_WRITTEN).where(_WRITTEN.c.notebook_id == submitted.id)).one_or_none()
    before = record.extra_credit if record is not None else None
    bonus = {f"test_{task.id}": task.score or None for task in report.tasks if task.bonus}
    for grade in submitted.grades:
        if grade.name in bonus and grade.extra_credit == before:
            grade.extra_credit = bonus[grade.name]
    values = {
        "report": fingerprint(report),
        "sha256": report.sha256,
        "extra_credit": next(iter(bonus.values()), None),
    }
    if record is None:
        db.execute(sa.insert(_WRITTEN).values(notebook_id=submitted.id, **values))
    else:
        db.execute(sa.update(_WRITTEN).where(_WRITTEN.c.notebook_id == submitted.id).values(**values))


def prepare_table(book: api.Gradebook) -> None:
    """Make our table where it is missing, in a gradebook that nbgrader has opened."""
    _WRITTEN.create(book.engine, checkfirst=True)


def _new_submission(db: Any, assignment: api.Assignment, student: api.Student) -> api.SubmittedAssignment:
    """Return a submission with a row for each grade and comment, as nbgrader's add_submission makes it and commits."""
    with db.no_autoflush:  # only when it is whole
        submission = api.SubmittedAssignment(assignment=assignment, student=student)
        db.add(submission)
        for notebook in assignment.notebooks:
            submitted = api.SubmittedNotebook(notebook=notebook, assignment=submission)
            db.add(submitted)
            db.add_all(api.Grade(cell_id=cell.id, notebook=submitted) for cell in notebook.grade_cells)
            db.add_all(api.Comment(cell_id=cell.id, notebook=submitted) for cell in notebook.solution_cells)
    db.flush()
    return submission


def _enter(db: Any, submitted: api.SubmittedNotebook, notebook: Any, report: Report) -> None:
    """Enter what the marked notebook says, by nbgrader's own rules, as SaveAutoGrades does."""
    known = db.scalar(sa.select(_WRITTEN.c.sha256).where(_WRITTEN.c.notebook_id == submitted.id))
    unchanged = known is not None and known == report.sha256
    grades = {grade.name: grade for grade in submitted.grades}
    comments = {comment.name: comment for comment in submitted.comments}
    for cell in notebook.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        if utils.is_grade(cell) and name in grades:
            grade = grades[name]
            grade.auto_score, _ = utils.determine_grade(cell)
            if not (unchanged and grade.manual_score is not None):  # a person has seen this very answer
                grade.needs_manual_grade = grade.manual_score is not None or grade.auto_score is None
        if utils.is_solution(cell) and name in comments:
            empty = cell.metadata.nbgrader.get("checksum") == utils.compute_checksum(cell)
            comments[name].auto_comment = "No response." if empty else None
    enter_bonus(db, submitted, report)


def _exchange_files(notebook: Path | None) -> dict[str, bytes]:
    """Return the small files that nbgrader's exchange puts beside a submission; a link is not followed."""
    found: dict[str, bytes] = {}
    if notebook is None:
        return found
    for name in KEPT:
        file = open_regular(notebook.parent / name)
        if file is not None:
            with file:
                found[name] = file.read(4096)
    return found


def _timestamp(notebook: Path | None) -> Any:
    """Return when it was handed in, in UTC, as nbgrader reads it; None where it is not known."""
    text = _exchange_files(notebook).get("timestamp.txt", b"").decode("ascii", "replace").strip()
    try:
        return utils.parse_utc(text) if text else None
    except (ValueError, OverflowError):
        return None


def _shown(url: str) -> str:
    return sa.engine.make_url(url).render_as_string(hide_password=True) if "://" in url else url


def _is_full(error: Exception) -> bool:
    """Say whether a disk is full, ours or the database's; SQLite has a code of its own for it."""
    return is_full(error) or getattr(getattr(error, "orig", None), "sqlite_errorname", "") == "SQLITE_FULL"


def _is_read_only(error: Exception) -> bool:
    """Say whether a database lets us read alone: SQLite's file or folder, or the user that the server knows us as."""
    origin = getattr(error, "orig", None)
    name, state = getattr(origin, "sqlite_errorname", ""), getattr(origin, "pgcode", "")
    return name.startswith(("SQLITE_READONLY", "SQLITE_PERM")) or state in _READ_ONLY_STATES


def _closed(url: str, error: Exception) -> UsageError:
    what = "make it writable, for SQLite the file and its folder, or name another one with --gradebook"
    return UsageError(f"the gradebook {_shown(url)} cannot be written: {_reason(error)}; {what}")


def _try_to_write(engine: sa.Engine) -> None:
    """Write a row and take it back: so that a gradebook that can only be read is told before anything is marked."""
    with engine.connect() as connection:
        connection.execute(sa.insert(_WRITTEN).values(notebook_id="", report="", sha256=""))
        connection.rollback()


def _reason(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).splitlines()[0]
