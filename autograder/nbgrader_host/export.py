"""`nbgrader export` as it is, but for its cells: nbgrader's own writes them bare.

There a comma in a name moves every mark behind it into the next column, a line break makes a row of its own, and a
name that begins as a formula is computed by the spreadsheet that opens the table. `configure` names this plugin.
"""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.plugins import ExportPlugin

from autograder.text import no_formula

COLUMNS = (
    "assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email", "raw_score",
    "late_submission_penalty", "score", "max_score",
)  # fmt: skip


class TableOfMarks(ExportPlugin):  # type: ignore[misc]
    """Writes nbgrader's table of marks as CSV that means what it says."""

    def export(self, gradebook: Gradebook) -> None:
        """Write a row for each assignment and student; those who handed nothing in have zero, as in nbgrader's own."""
        path = Path(self.to or "grades.csv")
        self.log.info("Exporting grades to %s", path)
        with open(path, "w", newline="", encoding="utf-8") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(COLUMNS)
            for row in self._rows(gradebook):
                table.writerow(map(_cell, row))

    def _rows(self, gradebook: Gradebook) -> Iterator[tuple[Any, ...]]:
        for assignment in gradebook.assignments:
            if not self.assignment or assignment.name in map(str, self.assignment):
                for student in gradebook.students:
                    if not self.student or student.id in map(str, self.student):
                        yield _row(gradebook, assignment, student)


def _row(gradebook: Gradebook, assignment: Any, student: Any) -> tuple[Any, ...]:
    """Return the cells of a row, in the order of COLUMNS."""
    try:
        submission = gradebook.find_submission(assignment.name, student.id)
        timestamp, raw, penalty = submission.timestamp, submission.score, submission.late_submission_penalty
    except MissingEntry:
        timestamp, raw, penalty = "", 0.0, 0.0
    person = student.id, student.last_name, student.first_name, student.email
    marks = raw, penalty, max(0.0, raw - (penalty or 0.0)), assignment.max_score
    return assignment.name, assignment.duedate, timestamp, *person, *marks


def _cell(value: Any) -> str:
    """Return a value as text; a number is one, however it begins."""
    if value is None:
        return ""
    return str(value) if isinstance(value, int | float) else no_formula(str(value))
