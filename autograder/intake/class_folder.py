"""Who handed in what: the students of a class folder, and the names of their files."""

import hashlib
import os
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import merge
from pathlib import Path

from autograder.errors import UsageError
from autograder.intake.file import MAX_BYTES, open_regular
from autograder.intake.folder import SUFFIX, find_notebook, find_sent
from autograder.intake.lms_downloads import MACS_OWN, sent_through
from autograder.verdict import Notice

STAFF, LOCK = "staff", "staff/.lock"  # in a folder of results; the second tells that it is one
RESULTS_FOLDERS = (STAFF, "autograded")


@dataclass(frozen=True)
class Handin:
    """What one student handed in; `notebook` is None where the folder holds none."""

    student: str
    notebook: Path | None
    notices: tuple[Notice, ...] = ()
    handed_in: bool = True  # False: a student on the roster of whom there is no folder


class Roll:
    """Who is in the class, in the order of their names: whoever handed something in, and whoever is on the roster.

    A student is a folder, or a notebook STUDENT.ipynb beside the folders; where both are there, the folder counts.
    In a course system's download the names say who it is, and `system` is "Canvas" or "Moodle", else "".
    `leave_out` is the folder of results, which may stand inside or be the same one; others inside are left out too.
    `assignment` is the name of the assignment. `passed_over` are the names of what is nobody's, hidden ones aside.
    Raises UsageError where there is no class.
    """

    def __init__(self, folder: Path, leave_out: Path, assignment: str, roster: Sequence[str] | None = None) -> None:
        self._folder, self._assignment = folder, assignment
        entries = _entries(folder, leave_out, assignment)
        self.system, self._sent = sent_through(entries)
        handins = [] if self._sent else [name for name, is_handin in entries.items() if is_handin]
        self._names = _by_student(folder, handins)
        ours = entries if folder.resolve() == leave_out.resolve() else ()  # the reports stand here too
        somebodys = {MACS_OWN, *handins, *ours}.union(*self._sent.values())
        self.passed_over = sorted(student_id(name) for name in entries if name not in somebodys)
        if not self._names and not self._sent and not roster:
            layouts = f"STUDENT/{assignment}/*{SUFFIX}, STUDENT/*{SUFFIX} or STUDENT{SUFFIX}"
            raise UsageError(f"{folder} holds no submissions; expected {layouts}")
        present = {_same(student): student for student in self._present()}
        known = {_same(student) for student in roster or ()}
        self.absent = [student for student in sorted(roster or ()) if _same(student) not in present]
        self.not_on_roster = [name for key, name in present.items() if roster is not None and key not in known]

    def __len__(self) -> int:
        return sum(1 for _ in self._present()) + len(self.absent)

    def __iter__(self) -> Iterator[Handin]:
        """Yield what each student handed in; only names are kept in memory."""
        absent = (Handin(student, None, handed_in=False) for student in self.absent)
        return merge(self._handins(), absent, key=lambda handin: handin.student)

    def students(self) -> Iterator[str]:
        """Yield the names alone."""
        return merge(self._present(), self.absent)

    def _present(self) -> Iterator[str]:
        yield from self._sent or self._names

    def _handins(self) -> Iterator[Handin]:
        for student, entries in self._sent.items():
            yield Handin(student, *find_sent(self._folder, entries, self._assignment))
        for student, (name, *others) in self._names.items():
            path = self._folder / name
            notebook, notices = find_notebook(path, self._assignment) if path.is_dir() else (path, ())
            if others:
                notices += (Notice("several_notebooks", _beside(student_id(others[0]), path.is_dir())),)
            yield Handin(student, notebook, notices)


def student_of(notebook: Path, assignment: str) -> str:
    """Return the student of a single notebook: the folder in nbgrader's layout, else the file's stem."""
    path = Path(os.path.abspath(notebook))
    if path.parent.name == assignment and path.parent.parent.parent.name == "submitted":
        return student_id(path.parent.parent.name)
    return student_id(path.stem)


def student_id(name: str) -> str:
    """Return a file's name as text; bytes that are no UTF-8 are spelled out."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def file_sha256(path: Path | None) -> str:
    """Return the hash of a regular file, "" for anything else: a link is not followed, a pipe not waited for.

    A file that is too large to be read as a submission is not read for its hash either.
    """
    file = open_regular(path) if path is not None else None
    if file is None:
        return ""
    with file:
        is_small = os.fstat(file.fileno()).st_size <= MAX_BYTES
        return hashlib.file_digest(file, "sha256").hexdigest() if is_small else ""


def _entries(folder: Path, leave_out: Path, assignment: str) -> dict[str, bool]:
    """Return what is in a folder and not hidden, and of each whether it can be a student's by its kind."""
    try:
        with os.scandir(folder) as found:
            entries = {entry.name: _is_handin(entry) for entry in found if not entry.name.startswith(".")}
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise UsageError(f"{folder} is not a folder of submissions: {reason}") from None
    if leave_out.resolve().parent == folder.resolve() and find_notebook(leave_out, assignment)[0] is not None:
        raise UsageError(f"{leave_out} holds a student's notebook; name another folder for the results")
    ours = {leave_out.resolve()}
    if folder.resolve() in ours or os.path.lexists(folder / LOCK):  # reports stand, or stood, beside the submissions
        ours |= {(folder / name).resolve() for name in RESULTS_FOLDERS}
    return {
        name: is_handin
        for name, is_handin in entries.items()
        if (folder / name).resolve() not in ours and not (is_handin and _holds_results(folder / name, assignment))
    }


def _holds_results(folder: Path, assignment: str) -> bool:
    """Say whether a folder is one of results, of an earlier grading say; no student can make a hand-in look like it."""
    return os.path.lexists(folder / LOCK) and find_notebook(folder, assignment)[0] is None


def _by_student(folder: Path, names: Iterable[str]) -> dict[str, list[str]]:
    """Return what each student has handed in, in the order of their names: a folder first, then the exact suffix."""
    found: dict[str, list[str]] = {}
    for name in names:
        is_folder = (folder / name).is_dir()
        stem = name if is_folder else name[: -len(SUFFIX)]
        found.setdefault(student_id(stem), []).append(name)
    for several in found.values():
        several.sort(key=lambda name: (not (folder / name).is_dir(), not name.endswith(SUFFIX), name))
    return dict(sorted(found.items()))


def _beside(other: str, is_folder: bool) -> str:
    if is_folder:
        return f"A folder and a notebook '{other}' were handed in; the folder was marked."
    return f"Another notebook '{other}' was handed in under the same name; it was not marked."


def _same(student: str) -> str:
    """Return what two spellings of a name have in common: macOS takes letters and their accents apart."""
    return unicodedata.normalize("NFC", student)


def _is_handin(entry: os.DirEntry[str]) -> bool:
    return entry.is_dir() or (entry.name.lower().endswith(SUFFIX) and entry.name.lower() != SUFFIX)
