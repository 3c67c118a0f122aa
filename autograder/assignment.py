"""The one source of truth: the instructor's notebook, read once.

Nothing of the notebook is typed a second time in this package. Its cells tagged `prelude` are trusted code, its
solution cells are the reference, its test cells (`test_<task>`) carry the tasks' titles and points.
"""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from autograder.box.source import bound_names
from autograder.course import AssignmentFolders, find_assignment
from autograder.errors import UsageError

Node = dict[str, Any]  # a cell as it stands in the notebook
DEPENDENCIES = ("needs", "calls")  # in the metadata of a test cell: lists of other tasks
MARKERS = (
    ("### BEGIN SOLUTION", "### END SOLUTION"),
    ("### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS"),
)


@dataclass(frozen=True)
class SourceCell:
    """A cell of the source notebook; `number` counts from 1 as a person would."""

    number: int
    cell_type: str
    source: str
    grade_id: str
    locked: bool
    solution: bool
    tags: tuple[str, ...]


@dataclass(frozen=True)
class Task:
    """What is marked together and shown as one row: the answer function, its title and its points."""

    id: str
    title: str
    points: float
    bonus: bool
    answer: SourceCell | None  # None: the task has no answer cell
    needs: tuple[str, ...] = ()  # tasks whose functions its checks run as well
    calls: tuple[str, ...] = ()  # tasks whose functions an answer may call

    @property
    def depends_on(self) -> frozenset[str]:
        """The tasks without which it is not marked again."""
        return frozenset((*self.needs, *self.calls))


@dataclass(frozen=True)
class Assignment(AssignmentFolders):
    """The assignment as its source notebook defines it."""

    cells: tuple[SourceCell, ...]
    tasks: tuple[Task, ...]

    @property
    def prelude(self) -> tuple[SourceCell, ...]:
        """The trusted cells that run before any student code exists."""
        return tuple(cell for cell in self.cells if "prelude" in cell.tags)

    @property
    def reference(self) -> tuple[SourceCell, ...]:
        """The answer cells, which never leave the judge's side."""
        return tuple(task.answer for task in self.tasks if task.answer is not None)

    @property
    def locked(self) -> dict[str, SourceCell]:
        """The given cells by grade_id, as students have them (hidden tests stripped)."""
        return {cell.grade_id: cell for cell in self.cells if cell.locked and cell.grade_id}

    @cached_property
    def elsewhere(self) -> frozenset[str]:
        """The names that given cells bind which are not run while marking: trained models, figures, their helpers."""
        given = [cell for cell in self.locked.values() if cell.cell_type == "code" and "prelude" not in cell.tags]
        names = set().union(*(bound_names(released_source(cell.source)) for cell in given))
        return frozenset(names.difference(*(bound_names(cell.source) for cell in self.prelude)))

    @cached_property
    def prelude_sha256(self) -> str:
        """The hash that ties what was measured with the prelude, such as a calibration, to it."""
        return hashlib.sha256("\0".join(c.source for c in self.prelude).encode()).hexdigest()

    def task(self, task_id: str, where: str = "") -> Task:
        """Return the task of that id; raises UsageError naming the known ones, and `where` it was asked for."""
        for task in self.tasks:
            if task.id == task_id:
                return task
        known = ", ".join(task.id for task in self.tasks)
        raise UsageError(f"{where}there is no task '{task_id}'; there are {known}")


def strip_region(source: str, begin: str, end: str) -> str:
    """Return the source without the lines from a `begin` marker to its `end` marker."""
    kept: list[str] = []
    inside = False
    for line in source.splitlines():
        if line.strip() == begin:
            inside = True
        elif line.strip() == end:
            inside = False
        elif not inside:
            kept.append(line)
    return "\n".join(kept)


def released_source(source: str) -> str:
    """Return a given cell as students have it: without its hidden tests."""
    return strip_region(source, *MARKERS[1]).rstrip()


def without_markers(source: str) -> str:
    """Return the source without the marker lines themselves, bare or in an HTML comment."""
    markers = {marker for pair in MARKERS for marker in pair}
    return "\n".join(line for line in source.split("\n") if line.strip().strip("<!->").strip() not in markers)


def load_assignment(course: Path, name: str | None = None) -> Assignment:
    """Read the source notebook of a course's assignment, by default of its only one.

    Raises UsageError when the notebook is missing, is no notebook, or names no tasks.
    """
    return load(find_assignment(course, name))


def load(folders: AssignmentFolders) -> Assignment:
    """Read the source notebook of an assignment; raises UsageError as `load_assignment` does."""
    try:
        cells = trusted_cells(folders.source)
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise UsageError(f"{folders.source} cannot be read as a notebook: {error}") from None
    assignment = assignment_of(cells, folders)
    if not assignment.tasks:
        raise UsageError(f"{folders.source} has no test cell with metadata 'autograder': {{'task': ...}}")
    return assignment


def trusted_cells(path: Path) -> list[Node]:
    """Return the cells of a notebook of ours, each source as one string; raises ValueError unless its format is 4."""
    # Not by nbformat: its import takes up to a second, and what publishes stored reports needs nothing but Python.
    notebook = json.loads(path.read_bytes())
    if notebook["nbformat"] != 4:
        raise ValueError(f"its format is {notebook['nbformat']}; save it in format 4")
    return [{**node, "source": "".join(node["source"])} for node in notebook["cells"]]


def assignment_of(nodes: list[Node], folders: AssignmentFolders) -> Assignment:
    """Return what a notebook defines: the instructor's, or its student version, which has stubs for answers."""
    cells = tuple(_cell(number, node) for number, node in enumerate(nodes, 1))
    answers = {cell.grade_id: cell for cell in cells if cell.solution and cell.cell_type == "code"}
    tasks = tuple(_task(node, answers) for node in nodes if "task" in _ours(node))
    return Assignment(folders.course, folders.name, cells, tasks)


def _ours(node: Node) -> Node:
    ours: Node = node["metadata"].get("autograder", {})
    return ours


def _cell(number: int, node: Node) -> SourceCell:
    grading = node["metadata"].get("nbgrader", {})
    return SourceCell(
        number=number,
        cell_type=node["cell_type"],
        source=node["source"],
        grade_id=str(grading.get("grade_id", "")),
        locked=bool(grading.get("locked", False)),
        solution=bool(grading.get("solution", False)),
        tags=tuple(node["metadata"].get("tags", ())),
    )


def _task(node: Node, answers: dict[str, SourceCell]) -> Task:
    ours = _ours(node)
    task_id = str(ours["task"])
    return Task(
        id=task_id,
        title=str(ours.get("title", task_id)),
        points=float(node["metadata"]["nbgrader"]["points"]),
        bonus=bool(ours.get("bonus", False)),
        answer=answers.get(task_id),
        needs=tuple(ours.get("needs", ())),
        calls=tuple(ours.get("calls", ())),
    )


def assignment_module(name: str, part: str) -> ModuleType | None:
    """Return a module of an assignment's own package, autograder/assignments/NAME_/; None if it has none of that name.

    The one place where the engine imports anything of an assignment.
    """
    package = f"autograder.assignments.{name.replace('-', '_')}"
    try:
        return import_module(f"{package}.{part}")
    except ModuleNotFoundError as error:
        if error.name in (package, f"{package}.{part}"):
            return None
        raise
