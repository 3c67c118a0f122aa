"""Reads the bank of recorded answers, tests/submissions/NAME/ of a course; the README says what stands in a record."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.assignment import Assignment

KEYS = {"kind", "why", "loses", "keeps", "fails", "status", "misconception", "quality"}


@dataclass(frozen=True)
class Record:
    """One recorded answer to one task, and what must come of it."""

    task: str
    name: str
    kind: str  # "wrong" or "right"
    why: str
    answer: str
    before: str = ""  # a cell of the student's own ahead of all answers
    after: str = ""  # one behind all answers
    loses: str = ""  # "all" or "some" of the task's points; "" for right answers and those that only quality sees
    keeps: float | None = None  # the points kept, where they are the same for every seed
    fails: tuple[str, ...] = ()  # the checks that fail, where not all do and they are the same for every seed
    status: str | None = None  # of the first check that fails
    misconception: str | None = None  # the same
    quality: str = ""  # the task that sees it where the checks of its own do not, "" for any other record

    @property
    def id(self) -> str:
        """The name by which tests call it."""
        return f"{self.task}-{self.kind}-{self.name}"


def load_bank(assignment: Assignment) -> list[Record]:
    """Return all records of an assignment, in the order of their paths; none where there is no bank.

    Raises ValueError for a record that is not as the README says.
    """
    return [_record(path, assignment) for path in sorted(assignment.recorded.glob("*/*/expect.toml"))]


def cells(record: Record, assignment: Assignment) -> list[tuple[str, str]]:
    """Return a submission's unlocked code cells as (grade_id or "", source): the record's answer, the others right."""
    answers = {cell.grade_id: cell.source for cell in assignment.reference} | {record.task: record.answer}
    own = [("", record.before), *answers.items(), ("", record.after)]
    return [(grade_id, source) for grade_id, source in own if source]


def _record(path: Path, assignment: Assignment) -> Record:
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    task, kind, name = path.parts[-3], table.get("kind"), path.parent.name
    unknown = table.keys() - KEYS
    if unknown or kind not in ("wrong", "right") or not table.get("why"):
        raise ValueError(f"{path}: unknown keys {sorted(unknown)}, or no kind, or no why")
    if kind == "right" and table.keys() - {"kind", "why"}:
        raise ValueError(f"{path}: a right answer has nothing but a kind and a why")
    if kind == "wrong" and ("loses" in table) == bool(table.get("quality")):
        raise ValueError(f"{path}: a wrong answer either loses points in its task or is seen by quality alone")
    if table.pop("quality", False):
        needing = [each.id for each in assignment.tasks if task in each.needs]
        if not needing:
            raise ValueError(f"{path}: seen by quality alone, but no task needs {task}")
        table["quality"] = needing[-1]
    sources: dict[str, Any] = {
        cell: (path.parent / f"{cell}.py").read_text(encoding="utf-8")
        for cell in ("answer", "before", "after")
        if (path.parent / f"{cell}.py").exists()
    }
    return Record(task=task, name=name, **sources, **{**table, "fails": tuple(table.get("fails", ()))})
