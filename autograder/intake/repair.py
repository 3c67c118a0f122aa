"""Which of the handed-in cells are the student's own, and where the answers are.

Given (locked) cells are never run as they were handed in: the judge has its own. So a cell counts as given, and is
dropped, when it carries a given cell's grade_id, or when an editor lost its metadata and its text is a given
cell's. Everything else that is code is the student's own and runs in the box; whatever its metadata say, no mark
depends on them. The rules in detail:

- Of several cells with one given cell's grade_id the one nearest to ours is taken for it; a further one is dropped
  if it resembles ours and runs as an own cell if it does not.
- An own cell whose text is a given cell's is dropped; one that resembles a given cell found nowhere else is taken
  for that cell, unless it defines a task's function.
- Several cells with an answer's grade_id all run, in their order: the last definition wins.
"""

import re
from collections import Counter

from autograder.assignment import Assignment, Task, released_source
from autograder.intake.cells import RawCell
from autograder.text import listed
from autograder.verdict import Notice

ALIKE = 0.9  # a changed number or a renamed variable leaves a given cell of ours above this
TOKEN = re.compile(r"\w+|[^\w\s]")
METADATA_LOST = Notice(
    "metadata_missing",
    "The notebook lost its cells' metadata (an export from another editor?); answers were found by their functions' "
    "names. This costs nothing.",
)


class Given:
    """A given code cell of the assignment, and how near a text comes to it."""

    def __init__(self, source: str) -> None:
        # The instructor's own notebook still has the hidden tests.
        self.texts = {_normal(released_source(source)), _normal(source)}
        self._tokens = _tokens(released_source(source))

    def nearness(self, source: str) -> float:
        """Return the likeness, and 2 where the text is ours, white space at line ends aside."""
        return 2.0 if _normal(source) in self.texts else self.likeness(_tokens(source))

    def likeness(self, tokens: Counter[str]) -> float:
        """Return the share of common words and signs, 0 to 1, in linear time: their order does not count."""
        total = self._tokens.total() + tokens.total()
        return 2 * (self._tokens & tokens).total() / total if total else 0.0


def repair(
    raw: list[RawCell], assignment: Assignment
) -> tuple[list[RawCell], dict[str, tuple[int, ...]], list[Notice]]:
    """Return the student's own cells of a notebook that was handed in, those with answers, and what was odd in it."""
    given = {
        grade_id: Given(cell.source)
        for grade_id, cell in assignment.locked.items()
        if cell.cell_type == "code" and cell.source.strip()
    }
    tasks = [task for task in assignment.tasks if task.answer is not None]
    code = [cell for cell in raw if cell.is_code and cell.source.strip()]
    sorting = _Sorting(given, tasks)
    sorting.by_grade_id(code)
    own = sorting.by_text([cell for cell in code if cell.number not in sorting.taken])
    answers = {task.id: _answers(task.id, own) for task in tasks}
    notices = [*sorting.notices, *_answer_notices(tasks, answers, raw, own), *_missing(given, sorting.found)]
    if not any(cell.grade_id for cell in raw):
        notices.insert(0, METADATA_LOST)
    return own, answers, notices


def definition(name: str) -> re.Pattern[str]:
    """Return what finds a line that begins the definition of this name, as a function, class or variable.

    A matter of text alone, since the source may be no Python at all.
    """
    word = re.escape(name)
    return re.compile(rf"^(?:async[ \t]+def|def|class)[ \t]+{word}\b|^{word}[ \t]*=(?!=)", re.MULTILINE)


class _Sorting:
    """Takes the given cells out of a notebook."""

    def __init__(self, given: dict[str, Given], tasks: list[Task]) -> None:
        self._given = given
        self._tasks = tasks
        self.taken: set[int] = set()  # numbers of the cells that are given ones
        self.found: set[str] = set()  # grade_ids
        self.notices: list[Notice] = []

    def by_grade_id(self, code: list[RawCell]) -> None:
        """Take the cells that carry a given cell's grade_id."""
        copies: dict[str, list[RawCell]] = {}
        for cell in code:
            if cell.grade_id in self._given:
                copies.setdefault(cell.grade_id, []).append(cell)
        for grade_id, cells in copies.items():
            given = self._given[grade_id]
            nearness = {cell.number: given.nearness(cell.source) for cell in cells}
            nearest = max(cells, key=lambda cell: (nearness[cell.number], -cell.number))
            self.found.add(grade_id)
            self.taken |= {cell.number for cell in cells if nearness[cell.number] >= ALIKE} | {nearest.number}
            if nearness[nearest.number] <= 1:
                self.notices.append(_changed(grade_id, nearest.number))
            if len(cells) > 1:
                numbers = [cell.number for cell in cells]
                kept = [number for number in numbers if number not in self.taken]
                changed = [n for n in numbers if n in self.taken and n != nearest.number and nearness[n] <= 1]
                self.notices.append(_given_copies(grade_id, numbers, kept, changed))

    def by_text(self, code: list[RawCell]) -> list[RawCell]:
        """Take the cells whose text is a given cell's, and return the others."""
        names = {text: name for name, given in self._given.items() for text in given.texts}
        own = []
        for cell in code:
            same = names.get(_normal(cell.source))
            if same is not None:
                self.found.add(same)
                self.taken.add(cell.number)
            else:
                own.append(cell)
        return [cell for cell in own if not self._resembles(cell)]

    def _resembles(self, cell: RawCell) -> bool:
        if cell.grade_id or any(definition(task.id).search(cell.source) for task in self._tasks):
            return False
        tokens = _tokens(cell.source)
        for name, given in self._given.items():
            if name not in self.found and given.likeness(tokens) >= ALIKE:
                self.found.add(name)
                self.taken.add(cell.number)
                self.notices.append(_changed(name, cell.number))
                return True
        return False


def _normal(source: str) -> str:
    lines = source.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(line.rstrip() for line in lines).strip("\n")


def _tokens(source: str) -> Counter[str]:
    return Counter(TOKEN.findall(source))


def _answers(task_id: str, own: list[RawCell]) -> tuple[int, ...]:
    """Return the numbers of the cells with the answer's id, of those with its name where these do not define it."""
    by_id = [cell for cell in own if cell.grade_id == task_id]
    by_name = [cell for cell in own if definition(task_id).search(cell.source)]
    defined = any(cell in by_name for cell in by_id)
    return tuple(cell.number for cell in (by_id if defined or not by_name else by_name))


def _answer_notices(
    tasks: list[Task], answers: dict[str, tuple[int, ...]], raw: list[RawCell], own: list[RawCell]
) -> list[Notice]:
    notices = []
    for task in tasks:
        same_id = [cell.number for cell in own if cell.grade_id == task.id]
        if len(same_id) > 1:
            numbers = _numbers(same_id)
            message = f"{numbers} are all '{task.id}'; they were run in their order, and the last definition counts."
            notices.append(Notice("duplicated_cell", message, task.id))
        turned = [cell.number for cell in raw if cell.grade_id == task.id and not cell.is_code]
        if turned and not answers[task.id]:
            message = (
                f"{_numbers(turned)}, the answer '{task.id}', is not a code cell any more, so there was nothing to "
                "run. Change its type back to code and resubmit."
            )
            notices.append(Notice("cell_type_changed", message, task.id))
    return notices


def _missing(given: dict[str, Given], found: set[str]) -> list[Notice]:
    missing = [grade_id for grade_id in given if grade_id not in found]
    if not missing:
        return []
    message = f"Given cells are missing: {listed(missing)}. Ours were used; this costs nothing."
    return [Notice("locked_cell_missing", message, missing[0] if len(missing) == 1 else "")]


def _changed(grade_id: str, number: int) -> Notice:
    message = (
        f"Cell {number}, '{grade_id}', is given and was changed; the original was used, and what was written there "
        "was not run. Put code of your own into a cell of its own."
    )
    return Notice("locked_cell_changed", message, grade_id)


def _given_copies(grade_id: str, numbers: list[int], kept: list[int], changed: list[int]) -> Notice:
    message = f"{_numbers(numbers)} are all '{grade_id}', a given cell; the original was used once."
    if kept:
        message += f" {_numbers(kept)} differed from it and was run as your own."
    if changed:
        where = _numbers(changed).lower()
        message += f" What was written into {where} was not run; put code of your own into a cell of its own."
    return Notice("duplicated_cell", message, grade_id)


def _numbers(numbers: list[int]) -> str:
    if len(numbers) == 1:
        return f"Cell {numbers[0]}"
    shown = [str(number) for number in numbers[:10]]
    if len(numbers) > 10:
        return f"Cells {', '.join(shown)} and {len(numbers) - 10} more"
    return f"Cells {', '.join(shown[:-1])} and {shown[-1]}"
