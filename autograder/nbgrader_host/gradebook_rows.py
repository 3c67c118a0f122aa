"""What is written for one student: their rows in nbgrader's gradebook, and our own beside them."""

import hashlib
from typing import Any

import sqlalchemy as sa
from nbgrader import api, utils

from autograder.report import Report
from autograder.system.file_names import file_name

LONGEST_ID = 128  # of nbgrader's column
WRITTEN = sa.Table(
    "autograder_written",
    sa.MetaData(),
    sa.Column("notebook_id", sa.String(32), primary_key=True),  # of nbgrader's submitted_notebook
    sa.Column("report", sa.String(64), nullable=False),  # what `fingerprint` says of it
    sa.Column("sha256", sa.String(64), nullable=False),  # of the submission
    sa.Column("extra_credit", sa.Float),
)


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
    record = db.execute(sa.select(WRITTEN).where(WRITTEN.c.notebook_id == submitted.id)).one_or_none()
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
        db.execute(sa.insert(WRITTEN).values(notebook_id=submitted.id, **values))
    else:
        db.execute(sa.update(WRITTEN).where(WRITTEN.c.notebook_id == submitted.id).values(**values))


def try_to_write(engine: sa.Engine) -> None:
    """Write a row and take it back: so that a gradebook that can only be read is told before anything is marked."""
    with engine.connect() as connection:
        connection.execute(sa.insert(WRITTEN).values(notebook_id="", report="", sha256=""))
        connection.rollback()


def new_submission(db: Any, assignment: api.Assignment, student: api.Student) -> api.SubmittedAssignment:
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


def enter(db: Any, submitted: api.SubmittedNotebook, notebook: Any, report: Report) -> None:
    """Enter what the marked notebook says, by nbgrader's own rules, as SaveAutoGrades does."""
    known = db.scalar(sa.select(WRITTEN.c.sha256).where(WRITTEN.c.notebook_id == submitted.id))
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
