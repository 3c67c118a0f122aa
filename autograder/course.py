"""A course folder: where it is, which assignments it has, and which of them is meant."""

import re
from dataclasses import dataclass
from pathlib import Path

from autograder.errors import UsageError

_NAME = re.compile(r"[a-z][a-z0-9-]*")
_ASSIGNMENTS = Path(__file__).parent / "assignments"


@dataclass(frozen=True)
class AssignmentFolders:
    """Where the parts of one assignment are; nothing else in a course knows its name."""

    course: Path
    name: str

    @property
    def file(self) -> str:
        """The name of the notebook."""
        return f"{self.name}.ipynb"

    @property
    def source(self) -> Path:
        """The instructor's notebook."""
        return self.course / "source" / self.name / self.file

    @property
    def lesson(self) -> Path:
        """The folder of the lesson's sources, where the assignment has a lesson."""
        return self.source.parent / "lesson"

    @property
    def released(self) -> Path:
        """The folder that students get."""
        return self.course / "release" / self.name

    @property
    def results(self) -> Path:
        """Where the reports on a class go unless `--out` says otherwise."""
        return self.course / "results" / self.name

    @property
    def recorded(self) -> Path:
        """The recorded answers, right and wrong ones."""
        return self.course / "tests" / "submissions" / self.name

    @property
    def checks(self) -> Path:
        """The hidden checks, `test_<task>.py`."""
        return _ASSIGNMENTS / self.name.replace("-", "_") / "checks"


def secrets(course: Path) -> tuple[Path, ...]:
    """Return the folders that student code must not be able to read: trusted code, and the notebooks with answers."""
    return _ASSIGNMENTS, course / "source"


def find_course(start: Path) -> Path:
    """Return the nearest folder at or above `start` that holds nbgrader_config.py.

    Raises UsageError when there is none.
    """
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / "nbgrader_config.py").is_file():
            return folder
    raise UsageError(
        f"no nbgrader_config.py in {start} or a folder above it; "
        "run inside the course folder, or name it with --course DIR"
    )


def assignment_names(course: Path) -> list[str]:
    """Return the names of the course's assignments: the folders of source/ with a notebook of the same name."""
    notebooks = (course / "source").glob("*/*.ipynb")
    return sorted(path.stem for path in notebooks if path.stem == path.parent.name and _NAME.fullmatch(path.stem))


def find_assignment(course: Path, wanted: str | None = None, path: Path | None = None) -> AssignmentFolders:
    """Return the assignment of this name, else the one that a path names, else the only one.

    Raises UsageError, with the names that there are, for an unknown one and where several could be meant.
    """
    names = assignment_names(course)
    if not names:
        raise UsageError(
            f"no source notebook in {course / 'source'}, such as source/NAME/NAME.ipynb with a NAME of a-z, 0-9 and -; "
            "--course must name the course folder"
        )
    if wanted is not None and wanted not in names:
        raise UsageError(f"there is no assignment '{wanted}'; the course has {', '.join(names)}")
    name = wanted or _named_by(path, course, names) or (names[0] if len(names) == 1 else None)
    if name is None:
        raise UsageError(f"the course has several assignments: {', '.join(names)}; name one with --assignment NAME")
    return AssignmentFolders(course, name)


def _named_by(path: Path | None, course: Path, names: list[str]) -> str | None:
    """Return the assignment after which a folder of the path is called, the innermost, or else the file."""
    if path is None:
        return None
    path, course = path.absolute(), course.absolute()
    inside = path.relative_to(course) if path.is_relative_to(course) else path  # the course's own place names nothing
    return next((part for part in (*reversed(inside.parts), path.stem) if part in names), None)
