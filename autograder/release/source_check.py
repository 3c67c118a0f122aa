"""What a source notebook must be before it can be released.

nbgrader drops an END marker without BEGIN in silence and stops at other slips without a name. Here each fault
names the cell, its number, and what to do.
"""

import difflib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.nbgraderformat import MetadataValidator, SchemaTooNewError, SchemaTooOldError, ValidationError

from autograder.assignment import DEPENDENCIES
from autograder.errors import ReleaseFault

SOLUTION, HIDDEN = "SOLUTION", "HIDDEN TESTS"
MARKERS = tuple(f"{edge} {kind}" for kind in (SOLUTION, HIDDEN) for edge in ("BEGIN", "END"))
# One wrong, missing or added letter leaves the shortest marker 0.9 alike; a heading such as SOLUTION is at 0.8.
MISSPELT = 0.85


@dataclass(frozen=True)
class Region:
    """Lines between two markers of one kind: what students must not get."""

    kind: str
    lines: tuple[str, ...]


def read_notebook(path: Path) -> Any:
    """Return the notebook at `path`, in nbformat 4.5, which gives every cell an id of its own.

    Raises ReleaseFault when it is missing, is no notebook, is in an older format, or an id is not there or used twice.
    """
    try:
        content = path.read_text(encoding="utf-8")
        raw = json.loads(content)
        version, cells = (raw["nbformat"], raw["nbformat_minor"]), raw["cells"] if raw["nbformat"] == 4 else []
        names = [str(cell.get("id", "")) for cell in cells]
    except FileNotFoundError:
        raise ReleaseFault(f"{path} is missing") from None
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise ReleaseFault(f"{path} cannot be read as a notebook ({type(error).__name__}: {error})") from None
    if version < (4, 5):
        number = ".".join(str(part) for part in version)
        raise ReleaseFault(f"{path} has format {number}; save it in 4.5, so that each cell has an id")
    _check_ids(names)  # nbformat would give new random ids in silence
    try:
        return nbformat.reads(content, as_version=4)
    except Exception as error:
        raise ReleaseFault(f"{path} cannot be read as a notebook: {error}") from None


def check_source(notebook: Any) -> None:
    """Raise ReleaseFault that lists every fault for which a source notebook cannot be released."""
    faults = list(_faults(notebook))
    if faults:
        raise ReleaseFault("\n".join(faults))


def cell_name(notebook: Any, index: int) -> str:
    """Return how messages name a cell: by its grade_id or id, and its number as a person would count."""
    cell = notebook.cells[index]
    name = grading(cell).get("grade_id") or cell.get("id", "")
    return f"cell '{name}' ({index + 1} of {len(notebook.cells)})"


def grading(cell: Any) -> dict[str, Any]:
    """Return the cell's nbgrader metadata, empty where it has none."""
    return dict(cell.metadata.get("nbgrader", {}))


def regions(source: str) -> tuple[list[Region], list[str]]:
    """Return the marked regions of a cell, and the faults of its markers, each without the cell's name."""
    found: list[Region] = []
    faults: list[str] = []
    opened: str | None = None
    lines: list[str] = []
    for number, line in enumerate(source.splitlines(), 1):
        marker = _marker(line)
        if marker is None:
            near = _misspelt(line)
            if near:
                faults.append(f"line {number}, {line.strip()!r}, is no marker; write '### {near}'")
            lines.append(line)
            continue
        edge, _, kind = marker.partition(" ")
        if edge == "BEGIN" and opened is not None:
            faults.append(f"BEGIN {kind} inside a {opened} region; add the line END {opened} before it")
        elif edge == "END" and opened is None:
            faults.append(f"END {kind} without BEGIN {kind}; add the BEGIN line")
        elif edge == "END" and opened != kind:
            faults.append(f"END {kind} inside a {opened} region; add the line END {opened} before it")
        elif edge == "END":
            found.append(Region(kind, tuple(lines)))
        opened, lines = (kind, []) if edge == "BEGIN" else (None, [])
    if opened is not None:
        faults.append(f"BEGIN {opened} without END {opened}; add the END line")
    return found, faults


def _marker(line: str) -> str | None:
    """Return the marker that a line is, bare or in an HTML comment (for markdown cells), or None."""
    text = line.strip().removeprefix("<!--").removesuffix("-->").strip()
    bare = text.removeprefix("### ")
    return bare if bare != text and bare in MARKERS else None


def _misspelt(line: str) -> str | None:
    """Return the marker that a line seems to mean without being it, or None."""
    for marker in MARKERS:
        if marker in line:  # nbgrader takes it for a marker wherever it stands
            return marker
    text = line.strip().removeprefix("<!--").removesuffix("-->").strip()
    if not text.startswith("#"):
        return None
    near = difflib.get_close_matches(text.strip("# ").upper(), MARKERS, n=1, cutoff=MISSPELT)
    return near[0] if near else None


def looks_like_marker(line: str) -> bool:
    """Return whether a line is a marker, or seems to be meant as one."""
    return _marker(line) is not None or _misspelt(line) is not None


def check_metadata(notebook: Any) -> Iterator[str]:
    """Yield the faults of nbgrader's metadata (schema version 3), each with the cell's name."""
    counts = Counter(grading(cell).get("grade_id", "") for cell in notebook.cells)
    validator = MetadataValidator()
    for index, cell in enumerate(notebook.cells):
        grade_id = grading(cell).get("grade_id")
        if grade_id and counts[grade_id] > 1:
            times = f"is used {counts[grade_id]} times; each cell needs its own"
            yield f"{cell_name(notebook, index)}: the grade_id '{grade_id}' {times}"
        try:
            validator.validate_cell(cell)
        except (ValidationError, SchemaTooOldError, SchemaTooNewError) as error:
            yield f"{cell_name(notebook, index)}: {getattr(error, 'message', str(error))}"


def _faults(notebook: Any) -> Iterator[str]:
    yield from check_metadata(notebook)
    tasks = {cell.metadata.get("autograder", {}).get("task") for cell in notebook.cells}
    for index, cell in enumerate(notebook.cells):
        found, faults = regions(cell.source)
        faults += _role_faults(cell, {region.kind for region in found}, tasks)
        faults += _dependency_faults(cell.metadata.get("autograder", {}), tasks)
        yield from (f"{cell_name(notebook, index)}: {fault}" for fault in faults)


def _check_ids(ids: list[str]) -> None:
    for number, name in enumerate(ids, 1):
        place = f"cell '{name}' ({number} of {len(ids)})"
        if not name:
            raise ReleaseFault(f"{place}: no id; open the notebook in Jupyter and save it, which gives each cell one")
        if ids.count(name) > 1:
            raise ReleaseFault(f"{place}: the id is used {ids.count(name)} times; each cell needs its own")


def _role_faults(cell: Any, kinds: set[str], tasks: set[str | None]) -> Iterator[str]:
    """Yield what is wrong between a cell's metadata and what stands in it."""
    meta = grading(cell)
    grade, solution, locked = (bool(meta.get(key)) for key in ("grade", "solution", "locked"))
    if SOLUTION in kinds and not solution:
        yield "a SOLUTION region in a cell that is no answer cell; set nbgrader's solution to true"
    if HIDDEN in kinds and (solution or not grade):
        yield "a HIDDEN TESTS region in a cell that is no test cell; set grade to true and solution to false"
    if "prelude" in cell.metadata.get("tags", []) and (not locked or cell.cell_type != "code"):
        yield "a prelude cell must be a locked code cell; students' code would run as trusted code"
    if cell.cell_type == "code" and solution:
        if SOLUTION not in kinds:
            yield "an answer cell without a SOLUTION region; its function's name and docstring would go too"
        if meta.get("grade_id") not in tasks:
            yield "an answer cell that no test cell names; add the test cell with the metadata 'autograder'"
    elif cell.cell_type == "code" and not locked:
        yield "a given code cell that is not locked; set nbgrader's locked to true"
    yield from _test_faults(cell, kinds)


def _dependency_faults(ours: dict[str, Any], tasks: set[str | None]) -> Iterator[str]:
    """Yield what is wrong with the tasks on which a task says that it depends."""
    for key in DEPENDENCIES:
        named = ours.get(key, [])
        if not isinstance(named, list):
            yield f"'{key}' must be a list of tasks"
            continue
        for task in named:
            if task not in tasks or task == ours.get("task"):
                others = ", ".join(sorted(each for each in tasks if each and each != ours.get("task")))
                yield f"'{key}' names '{task}', which is no other task; there are {others}"


def _test_faults(cell: Any, kinds: set[str]) -> Iterator[str]:
    meta = grading(cell)
    ours = cell.metadata.get("autograder", {})
    if "task" not in ours:
        if meta.get("grade") and not meta.get("solution"):
            yield "a test cell without the metadata 'autograder': {'task': ..., 'title': ...}"
        return
    if not (meta.get("grade") and meta.get("locked")):
        yield "a test cell must be graded and locked"
    if meta.get("grade_id") != f"test_{ours['task']}":
        yield f"the test cell of the task '{ours['task']}' must have the grade_id 'test_{ours['task']}'"
    if HIDDEN not in kinds:
        yield "a test cell without a HIDDEN TESTS region; its points would go to the visible asserts"
    if not meta.get("points"):
        yield "a test cell without points"
    if not ours.get("title"):
        yield "a test cell without a title for the report"
