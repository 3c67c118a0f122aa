"""Whether anything is known of a student: a slip in a name decides about nobody, and nobody would notice."""

from __future__ import annotations

from autograder.course import AssignmentFolders
from autograder.errors import UsageError
from autograder.grading.stored_reports import report_names
from autograder.intake.class_folder import Roll
from autograder.system.file_names import file_name
from autograder.text import one_line


def is_known(assignment: AssignmentFolders, student: str) -> bool:
    """Say whether a student has handed in to the course folder, or a report of theirs is stored in it.

    These are `submitted` and `results/NAME`, where `grade` reads and writes unless it is told otherwise.
    """
    submitted, results = assignment.course / "submitted", assignment.results
    try:
        if file_name(student) in report_names(results):
            return True
    except UsageError:
        pass  # nothing is marked yet
    try:
        return student in Roll(submitted, results, assignment.name).students()
    except UsageError:
        return False  # nobody has handed in


def doubt(student: str) -> str:
    """Return the sentence that asks whether a name is right."""
    return f"warning: no hand-in of '{one_line(student)}' is known yet; is the name right?"
