"""What is run, in which order: the student's own cells where they stand among ours, as we gave them out."""

import enum
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.assignment import Assignment, SourceCell, assignment_of, released_source, trusted_cells
from autograder.course import AssignmentFolders
from autograder.intake.cells import RawCell
from autograder.intake.submission import Submission, read_with_text

RELEASE = next(Path(__file__).parent.glob("*.ipynb"), Path())  # where the installed package has it


class Kind(enum.Enum):
    """Whose cell it is, and what for."""

    PRELUDE = "prelude"  # given, defines what everything else needs
    GIVEN = "given"  # given: figures, training
    OWN = "own"  # the student's: an answer, or a cell of their own
    TEST = "test"  # the visible checks of a task


@dataclass(frozen=True)
class Step:
    """A cell to run. `number` counts the cells of the student's file from 1; 0 for a given cell that is not in it."""

    kind: Kind
    source: str
    name: str  # the grade_id, "" where it has none
    number: int
    task: str = ""  # of which it is the answer or the test

    @property
    def label(self) -> str:
        """How a person finds the cell."""
        if not self.number:
            return f"the given cell '{self.name}'"
        return f"cell {self.number}, '{self.name}'" if self.name else f"cell {self.number}"


@dataclass(frozen=True)
class Plan:
    """A student's notebook, read as the grader reads it, beside the release that it came from."""

    release: Assignment
    submission: Submission
    steps: tuple[Step, ...]
    size: int  # bytes
    cells: int  # how many, text included
    unwritten_texts: tuple[str, ...]  # grade_ids of reflections that are still as they were given
    was_run: bool  # outputs or execution counts are saved in it

    @property
    def todo_lines(self) -> frozenset[str]:
        """The lines that stand in every answer cell of the release and ask for an answer."""
        answers = [task.answer.source for task in self.release.tasks if task.answer is not None]
        common = frozenset.intersection(*(frozenset(map(str.strip, source.splitlines())) for source in answers))
        return frozenset(line for line in common if line.startswith(("#", "raise")))

    def own(self, task_id: str) -> list[Step]:
        """Return the cells that hold the answer of a task."""
        return [step for step in self.steps if step.kind is Kind.OWN and step.task == task_id]


def load_release(path: Path = RELEASE) -> Assignment:
    """Return the assignment as the release defines it: tasks, points, given cells and stubs."""
    return assignment_of(trusted_cells(path), AssignmentFolders(path.parent, path.stem))


def read_plan(path: Path, release: Assignment) -> Plan:
    """Return what to run of a student's notebook.

    Raises Unreadable, in the grader's own words, for a file that it could not read as this assignment's notebook.
    """
    submission, raw = read_with_text(path, release)
    return Plan(
        release=release,
        submission=submission,
        steps=tuple(_steps(release, submission, raw)),
        size=path.stat().st_size,
        cells=len(raw),
        unwritten_texts=tuple(_unwritten_texts(release, raw)),
        was_run=_was_run(path),
    )


def _steps(release: Assignment, submission: Submission, raw: list[RawCell]) -> list[Step]:
    """Return our cells in our order, and behind each the student's own that stand there in the file."""
    given = [cell for cell in release.cells if cell.locked and cell.cell_type == "code"]
    answer_places = {cell.grade_id: place for place, cell in enumerate(release.cells) if cell.solution}
    task_of = {number: task for task, numbers in submission.answers.items() for number in numbers}
    numbers: dict[str, int] = {}
    own = {cell.number: cell for cell in submission.cells}
    keyed: list[tuple[int, int, Step]] = []
    place = -1
    for cell in raw:
        if cell.number in own:
            place = max(place, answer_places.get(cell.grade_id, -1))
            step = Step(Kind.OWN, own[cell.number].source, cell.grade_id, cell.number, task_of.get(cell.number, ""))
            keyed.append((place, cell.number, step))
            continue
        match = next((each for each in given if _is(each, cell) and each.grade_id not in numbers), None)
        if match is not None:
            numbers[match.grade_id] = cell.number
            place = match.number - 1
    tests = {f"test_{task.id}": task.id for task in release.tasks}
    for each in given:
        kind = Kind.TEST if each.grade_id in tests else Kind.PRELUDE if "prelude" in each.tags else Kind.GIVEN
        number = numbers.get(each.grade_id, 0)
        step = Step(kind, each.source, each.grade_id, number, tests.get(each.grade_id, ""))
        keyed.append((each.number - 1, 0, step))
    return [step for _, _, step in sorted(keyed, key=lambda entry: entry[:2])]


def _is(given: SourceCell, cell: RawCell) -> bool:
    """Is this cell of the file the given one? By its grade_id, or by its text where an editor dropped that."""
    if cell.grade_id:
        return cell.grade_id == given.grade_id
    return cell.is_code and released_source(given.source).split() == cell.source.split()


def _unwritten_texts(release: Assignment, raw: list[RawCell]) -> list[str]:
    texts = {cell.grade_id: cell.source for cell in release.cells if cell.solution and cell.cell_type == "markdown"}
    handed_in = {cell.grade_id: cell.source for cell in raw if cell.grade_id in texts}
    return [name for name, source in handed_in.items() if source.split() in ([], texts[name].split())]


def _was_run(path: Path) -> bool:
    try:
        notebook: Any = json.loads(path.read_bytes(), strict=False)
    except ValueError:  # the grader's reading takes a little more than this one; then nothing is known
        return True
    cells = [cell for cell in notebook.get("cells", ()) if isinstance(cell, dict)]
    return not cells or any(cell.get("outputs") or cell.get("execution_count") for cell in cells)
