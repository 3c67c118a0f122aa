"""Who handed in what: the students of a class folder, and the names of their files."""

from __future__ import annotations

import hashlib
import os
import stat
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from autograder.assignment import NAME
from autograder.errors import UsageError
from autograder.report import Notice
from autograder.submission.folder import find_notebook

SUFFIX = ".ipynb"
LONGEST_NAME = 180  # bytes; a file name may have 255, and `.json` and a little more is added
_RESERVED = frozenset({"index", "staff"})  # OUT/index.html and OUT/staff are no student's
# Separators, and what Windows, a shell, an URL or our own encoding would read otherwise.
_UNSAFE = frozenset("/\\%:*?\"<>|#&;'`$=+@~")


@dataclass(frozen=True)
class Handin:
    """What one student handed in; `notebook` is None where the folder holds none."""

    student: str
    notebook: Path | None
    notices: tuple[Notice, ...] = ()


def handins(folder: Path, leave_out: Path) -> Iterator[Handin]:
    """Yield what each student handed in, in the order of their names.

    A student is a folder, or a notebook STUDENT.ipynb beside the folders; where both are there, the folder counts.
    `leave_out` is the folder of results, which may stand inside. Raises UsageError where there is no class folder.
    """
    names = _names(folder, leave_out)
    for name in names:
        path = folder / name
        if path.is_dir():
            notebook, notices = find_notebook(path)
            if name + SUFFIX in names:
                message = f"A folder and a notebook '{name}{SUFFIX}' were handed in; the folder was marked."
                notices += (Notice("several_notebooks", message),)
            yield Handin(student_id(name), notebook, notices)
        elif name.removesuffix(SUFFIX) not in names:
            yield Handin(student_id(name.removesuffix(SUFFIX)), path)


def student_of(notebook: Path) -> str:
    """Return the student of a single notebook: the folder in nbgrader's layout, else the file's stem."""
    path = Path(os.path.abspath(notebook))
    if path.parent.name == NAME and path.parent.parent.parent.name == "submitted":
        return student_id(path.parent.parent.name)
    return student_id(path.stem)


def student_id(name: str) -> str:
    """Return a file's name as text; bytes that are no UTF-8 are spelled out."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def file_name(student: str) -> str:
    """Return the name, without its suffix, of a student's files: different for different students.

    What is unsafe in a file name is percent-encoded; a very long name is cut and ends in its hash.
    """
    name = "".join(_encoded(char) if _is_unsafe(char) else char for char in student)
    if not name or name[0] in ".- " or name.lower() in _RESERVED:
        name = _encoded(name[:1]) + name[1:]
    if name[-1:] in (".", " "):
        name = name[:-1] + _encoded(name[-1])
    if len(name.encode("utf-8")) > LONGEST_NAME:
        head = name.encode("utf-8")[:100].decode("utf-8", "ignore")
        name = f"{head}~{hashlib.sha256(student.encode('utf-8')).hexdigest()[:16]}"
    return name


def file_sha256(path: Path | None) -> str:
    """Return the hash of a regular file, "" for anything else: a link is not followed, a pipe not waited for."""
    if path is None:
        return ""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ""
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return ""
    with open(descriptor, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _names(folder: Path, leave_out: Path) -> dict[str, None]:
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if _is_handin(entry)]
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise UsageError(f"{folder} is not a folder of submissions: {reason}") from None
    kept = [name for name in sorted(names) if (folder / name).resolve() != leave_out.resolve()]
    if not kept:
        raise UsageError(
            f"{folder} holds no submissions; expected STUDENT/{NAME}/*{SUFFIX}, STUDENT/*{SUFFIX} or STUDENT{SUFFIX}"
        )
    return dict.fromkeys(kept)


def _is_handin(entry: os.DirEntry[str]) -> bool:
    if entry.name.startswith("."):
        return False
    return entry.is_dir() or (entry.name.endswith(SUFFIX) and entry.name != SUFFIX)


def _is_unsafe(char: str) -> bool:
    # Control, format (bidi marks), surrogates, line ends, and spaces other than the ordinary one.
    return char in _UNSAFE or (char != " " and unicodedata.category(char)[0] in "CZ")


def _encoded(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode("utf-8")) or "%"
