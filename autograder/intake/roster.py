"""Who should hand in: a list of students as course systems export it."""

import csv
from pathlib import Path

from autograder.errors import UsageError
from autograder.system.files import SPREADSHEET, read_text

# Of several the first counts. nbgrader's own lists have `id`, Canvas's `ID`, Moodle's grading worksheet `Identifier`.
COLUMNS = ("id", "student_id", "student", "username", "identifier")
HEADINGS = ("name", "names", "student name", "students", "user", "login", "email", "e-mail")  # of an only column
_MOODLE = "participant "  # "Participant 12345" in Moodle's list is 12345 in its download
_NO_STUDENT = "points possible"  # Canvas puts what an assignment is worth where a student would stand


def read_roster(path: Path) -> list[str]:
    """Return the students of a CSV file, each once, in its order: the column `id` or alike, or the only column.

    Raises UsageError for a file that cannot be read, has no such column, or names nobody.
    """
    text = read_text(path, SPREADSHEET)
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        rows = [row for row in csv.reader(text.splitlines(), delimiter=delimiter) if any(row)]
    except csv.Error as error:
        raise UsageError(f"{path} cannot be read as CSV: {error}") from None
    column, rows = _column(path, rows)
    found = (row[column].strip() for row in rows if column < len(row) and not _is_no_student(row))
    students = list(dict.fromkeys(_plain(student) for student in found if student))
    if not students:
        raise UsageError(f"{path} names no student")
    return students


def _column(path: Path, rows: list[list[str]]) -> tuple[int, list[list[str]]]:
    """Return which column names the students, and the rows below the header."""
    header = [name.strip().lower() for name in rows[0]] if rows else []
    for name in COLUMNS:
        if name in header:
            return header.index(name), rows[1:]
    if all(len(row) == 1 for row in rows):
        return 0, rows[1:] if header and header[0] in HEADINGS else rows
    raise UsageError(f"{path} has no column {', '.join(COLUMNS[:-1])} or {COLUMNS[-1]}; its first row must name one")


def _is_no_student(row: list[str]) -> bool:
    return row[0].strip().lower().startswith(_NO_STUDENT)


def _plain(student: str) -> str:
    return student[len(_MOODLE) :] if student.lower().startswith(_MOODLE) else student
