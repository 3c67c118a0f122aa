"""Which notebook of a student's folder is marked."""

import os
from collections.abc import Mapping
from pathlib import Path

from autograder.text import quoted
from autograder.verdict import Notice

SUFFIX = ".ipynb"


def find_notebook(folder: Path, name: str) -> tuple[Path | None, tuple[Notice, ...]]:
    """Return the notebook to mark in FOLDER/NAME/ or else in FOLDER/, None where there is none.

    Of several the one called NAME.ipynb, else the first by name. Hidden files do not count and links are not
    followed; where there is nothing but a link, pipe or folder of such a name it is returned, so that reading it
    says what is wrong.
    """
    inner = folder / name
    for place in (folder,) if inner.is_symlink() else (inner, folder):
        names, odd = _notebooks(place)
        chosen = _choice(names, name) or _choice(odd, name)
        if chosen:
            return place / chosen, _several(chosen, len(names), name)
    return None, ()


def find_sent(folder: Path, entries: Mapping[str, str], assignment: str) -> tuple[Path | None, tuple[Notice, ...]]:
    """Return the notebook to mark of what a course system has of one student, by the same rule.

    `entries` of the folder, files or folders, each with the name that the student gave it.
    """
    found: list[tuple[str, Path]] = []
    notices: tuple[Notice, ...] = ()
    for entry, name in entries.items():
        path = folder / entry
        if name.lower().endswith(SUFFIX):
            found.append((name, path))
        elif path.is_dir():
            notebook, more = find_notebook(path, assignment)
            notices += more
            if notebook is not None:
                found.append((notebook.name, notebook))
    if not found:
        return None, notices
    chosen, path = min(found, key=lambda each: (each[0] != f"{assignment}{SUFFIX}", each))
    return path, notices + _several(chosen, len(found), assignment)


def _notebooks(place: Path) -> tuple[list[str], list[str]]:
    """Return the names of the notebooks in a folder: regular files, and whatever else is called like one."""
    names: list[str] = []
    odd: list[str] = []
    try:
        with os.scandir(place) as entries:
            for entry in entries:
                if entry.name.lower().endswith(SUFFIX) and not entry.name.startswith("."):
                    (names if entry.is_file(follow_symlinks=False) else odd).append(entry.name)
    except OSError:
        pass  # missing or closed to us: nothing was handed in there
    return sorted(names), sorted(odd)


def _choice(names: list[str], assignment: str) -> str:
    expected = f"{assignment}{SUFFIX}"
    if expected in names:
        return expected
    return names[0] if names else ""


def _several(chosen: str, count: int, assignment: str) -> tuple[Notice, ...]:
    if count < 2:
        return ()
    expected = f"{assignment}{SUFFIX}"
    rule = "it has the expected name" if chosen == expected else "it is the first by name"
    message = (
        f"{count} notebooks were handed in; {quoted(chosen)} was marked, because {rule}. "
        f"To have another one marked, hand it in alone as '{expected}'."
    )
    return (Notice("several_notebooks", message),)
