"""Reads and repairs what was handed in: from the bytes of a file to the cells that the box runs.

Nothing here executes or unpickles anything, and whatever the bytes are, the outcome is a Submission or Unreadable,
in bounded time and memory. `file` opens, `json_scanner` walks the JSON, `cells` knows nbformat, `repair` knows the
assignment.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from autograder.assignment import Assignment
from autograder.errors import Unreadable
from autograder.intake.cells import RawCell, cells_of
from autograder.intake.file import Text, as_text, read_once
from autograder.intake.json_scanner import CutShort, Malformed, TooMuch
from autograder.intake.repair import definition, repair
from autograder.text import listed, one_line, quoted
from autograder.verdict import Notice


class UnreadableFile(Unreadable):
    """The submission cannot be read; `file` and `sha256` are what the report says of it, "" where unknown."""

    def __init__(self, message: str, file: str, sha256: str) -> None:
        super().__init__(message)
        self.file = file
        self.sha256 = sha256


@dataclass(frozen=True)
class Submission:
    """What one student handed in, as far as it is marked.

    `answers` has for each task with an answer cell the numbers of the cells that hold it, none where it is missing.
    """

    file: str  # base name
    sha256: str  # of the bytes that are marked
    cells: tuple[RawCell, ...]  # the student's own code, in the order in which it runs
    notices: tuple[Notice, ...]
    answers: dict[str, tuple[int, ...]]


def read_submission(path: Path, assignment: Assignment) -> Submission:
    """Return the student's own cells of a notebook.

    Raises UnreadableFile, an Unreadable, with one or two sentences for the student.
    """
    return _read(path, assignment, text=False)[0]


def read_with_text(path: Path, assignment: Assignment) -> tuple[Submission, list[RawCell]]:
    """Return what `read_submission` returns, and all cells as they were handed in, their text too."""
    return _read(path, assignment, text=True)


def _read(path: Path, assignment: Assignment, text: bool) -> tuple[Submission, list[RawCell]]:
    file = one_line(path.name)
    sha256 = ""
    try:
        data = read_once(path)
        sha256 = hashlib.sha256(data).hexdigest()
        raw = _raw_cells(as_text(data, quoted(path.name)), quoted(path.name), text)
        _check_assignment(raw, assignment, quoted(path.name))
    except Unreadable as error:
        raise UnreadableFile(str(error), file, sha256) from None
    own, answers, notices = repair(raw, assignment)
    notices = [*_renamed(path.name, assignment.file), *notices]
    return Submission(file, sha256, tuple(own), tuple(notices), answers), raw


def _raw_cells(file: Text, name: str, text: bool) -> list[RawCell]:
    try:
        return cells_of(file.utf8, text)
    except CutShort as error:
        raise Unreadable(
            f"{name} is cut short: {error}, at byte {file.offset(error.at)}; expected the rest of the notebook. "
            "Open your own copy to see that it works, re-download and resubmit."
        ) from None
    except TooMuch as error:
        raise Unreadable(
            f"{name} is too much to read: {error}, most of them in saved outputs. "
            "Open it in Jupyter, clear all outputs, save it there and resubmit."
        ) from None
    except Malformed as error:
        raise Unreadable(
            f"{name} cannot be read as a notebook: {error} (at byte {file.offset(error.at)}). "
            "Open it in Jupyter to see that it works, save it there and resubmit."
        ) from None


def _check_assignment(raw: list[RawCell], assignment: Assignment, name: str) -> None:
    """Raise Unreadable when nothing in the notebook belongs to one of our tasks."""
    ids = {cell.grade_id for cell in raw if cell.grade_id}
    ours = {task.id for task in assignment.tasks}
    if ids & (ours | {f"test_{task}" for task in ours}):
        return
    patterns = [definition(task) for task in ours]
    if any(pattern.search(cell.source) for cell in raw if cell.is_code for pattern in patterns):
        return
    answers = [task.id for task in assignment.tasks if task.answer is not None]
    found = f"cells {listed(sorted(ids))}" if ids else f"{len(raw)} cells, none with an id or a function of ours"
    raise Unreadable(
        f"{name} is another assignment's notebook: expected '{assignment.name}' with cells such as "
        f"{listed(answers, 3)}, found {found}. Hand in the notebook of this assignment."
    )


def _renamed(name: str, expected: str) -> tuple[Notice, ...]:
    if name == expected:
        return ()
    message = f"The file is called {quoted(name)}; '{expected}' was expected. It was marked all the same."
    return (Notice("renamed_file", message),)
