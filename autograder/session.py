"""One submission in its boxes: runs the student's cells, spends the submission's time, tells what it saw.

Every task gets a fresh box, in which the student's own cells run again from the top. A cell that fails costs only what
depends on it. A cell that takes too long is cut short; once the cells have used their part of the submission's time,
the long ones get a second each, in every later box alike.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from autograder.channel import Box, BoxFailure, KeeperLost, Stopwatch
from autograder.explain import Place, explain
from autograder.report import Notice
from autograder.sandbox import Keeper
from autograder.settings import Settings
from autograder.student import Student
from autograder.submission import OwnCell, Submission
from autograder.verdict import CheckFailed, Status

GRACE_SECONDS = 1.0  # for an exception to end a cell before the box is killed
SHORT_SECONDS = 1.0  # what a long cell gets once the cells' time is used up
CELLS_SHARE = 1 / 3  # of the submission's time, for the student's own cells in all boxes
RESERVE_SECONDS = 5.0  # that each later task can count on, whatever the earlier ones took


@dataclass
class Clock:
    """The time that a submission may take, and what it has taken."""

    limit_seconds: float
    cells_seconds: float = 0.0
    calls_seconds: float = 0.0

    def left(self, later_tasks: int) -> float:
        """Return what the present task may still take, so that each later one keeps its reserve."""
        reserve = later_tasks * min(RESERVE_SECONDS, self.limit_seconds / 20)
        return self.limit_seconds - self.calls_seconds - min(self.cells_seconds, self.limit_seconds * CELLS_SHARE) - reserve


class Session:
    """One submission, from its first box to its last."""

    def __init__(self, keeper: Callable[[], Keeper], submission: Submission, settings: Settings, tasks: list[str]) -> None:
        self.submission = submission
        self.settings = settings
        self.keeper = keeper
        self.clock = Clock(settings.submission_seconds)
        self.keepers_lost = 0
        self.notices: dict[tuple[str, int], Notice] = {}
        self.suspicions: list[str] = []
        self.outputs: dict[str, str] = {}
        self._tasks = tasks
        self._cell_limits: dict[int, float] = {}
        self._skipped: dict[int, CheckFailed] = {}

    @contextmanager
    def open(self, task: str) -> Iterator[BoxStudent]:
        """Open a box for a task, with the student's cells run in it."""
        later = len(self._tasks) - self._tasks.index(task) - 1
        student = BoxStudent(self, task, later)
        try:
            yield student
        finally:
            student.close()

    def keep_output(self, task: str, box: Box) -> None:
        """Keep what a box printed for staff; tell the student once when it was too much."""
        self.outputs[task] = bytes(box.output.kept).decode("utf-8", "replace")
        self.suspicions += [f"{task}: {suspicion}" for suspicion in box.suspicions]
        if box.output.total_bytes > box.output.limit_bytes:
            kept = self.settings.output_kib
            message = f"The code printed more than {kept} KiB; the rest was thrown away. It cost no points."
            self.notices.setdefault(("output_truncated", 0), Notice("output_truncated", message))

    def note_cell(self, cell: OwnCell, failure: CheckFailed) -> None:
        """Tell the student of a cell that did not run to its end."""
        code = "cell_cut_short" if failure.status is Status.TIMEOUT else "cell_failed"
        name = cell.grade_id or f"cell {cell.number}"
        self.notices.setdefault((code, cell.number), Notice(code, failure.message, name))

    def cell_limit(self, cell: OwnCell) -> float:
        """Return how long a cell may take."""
        return self._cell_limits.get(cell.number, self.settings.cell_seconds)

    def took(self, cell: OwnCell, seconds: float) -> None:
        """Count a cell's time; once the cells have used theirs, this one is short from now on."""
        self.clock.cells_seconds += seconds
        if seconds > SHORT_SECONDS and self.clock.cells_seconds > self.clock.limit_seconds * CELLS_SHARE:
            self._cell_limits[cell.number] = SHORT_SECONDS

    def cut_short(self, cell: OwnCell) -> None:
        """Give a cell that ran to its limit a second in later boxes."""
        self._cell_limits[cell.number] = SHORT_SECONDS

    def skip(self, cell: OwnCell, failure: CheckFailed) -> None:
        """Leave a cell that ended its box, or could not be cut short, out of later boxes."""
        self._skipped[cell.number] = failure

    def skipped(self, cell: OwnCell) -> CheckFailed | None:
        """Return why a cell is left out, or None."""
        return self._skipped.get(cell.number)


class BoxStudent(Student):
    """The functions of a submission, in a box of this task's own. The box opens with the first call."""

    def __init__(self, session: Session, task: str, later_tasks: int) -> None:
        self._session = session
        self._task = task
        self._later = later_tasks
        self._box: Box | None = None
        self._dead: CheckFailed | None = None
        self._defined: dict[str, bool] = {}
        self._failures: dict[int, CheckFailed] = {}
        cells = session.submission.cells
        self._cells = {cell.number: cell.source.splitlines() for cell in cells}
        self._names = {cell.number: cell.grade_id for cell in cells}

    def close(self) -> None:
        """Kill the box and what it has started."""
        if self._box is not None:
            box, self._box = self._box, None
            box.__exit__()
            self._session.keep_output(self._task, box)

    def place(self, function: str) -> Place:
        """Return the function's name and cells."""
        numbers = self._session.submission.answers.get(function, ())
        return Place(function, numbers[-1] if numbers else None, self._cells, self._names)

    def check_defined(self, function: str) -> None:
        """Raise CheckFailed, with the reason, when the notebook defines no such function."""
        if function == "notebook:model":
            return
        if function not in self._defined:
            self._defined.update(self.request({"op": "names", "names": [function]}, _nothing))
        if self._defined.get(function) is True:
            return
        numbers = self._session.submission.answers.get(function, ())
        if not numbers:
            raise CheckFailed(Status.NOT_ATTEMPTED, f"The notebook defines no function {function}; its answer cell is missing or empty.")
        for number in reversed(numbers):
            if number in self._failures:
                raise self._failures[number]
        what = self.place(function).what
        raise CheckFailed(Status.NOT_ATTEMPTED, f"{what} ran, but defines no function of that name; is the def line still there?")

    def seconds_left(self) -> float:
        """Return how long this task's calls may still take; waiting for a processor hardly counts."""
        return self._session.clock.left(self._later)

    def request(self, message: dict[str, Any], answer: Callable[[Any], Any]) -> Any:
        """Send a request to the box; a box that failed once fails the rest of its task in the same way."""
        if self._dead is not None:
            raise self._dead
        if self._box is None:
            self._open()
        return self._timed(message, answer)

    def _timed(self, message: dict[str, Any], answer: Callable[[Any], Any]) -> Any:
        box, clock = self._living_box(), self._session.clock
        left = clock.left(self._later)
        if left <= 0:
            raise self._die(
                Status.TIMEOUT,
                f"The time of a submission ({clock.limit_seconds:g} s) was used up before this check; which of your functions is slow?",
            )
        watch = Stopwatch(box.pid)
        try:
            return box.request(message, min(self._session.settings.call_seconds, left), answer)
        except BoxFailure as failure:
            what = self.place(str(message.get("function", self._task))).what
            raise self._die(failure.status, f"{what}: {failure.message}") from None
        except KeeperLost:
            self._session.keepers_lost += 1
            raise self._die(Status.CRASH, "Your code ended the sandbox that it ran in.") from None
        finally:
            clock.calls_seconds += watch.seconds()

    def _die(self, status: Status, message: str) -> CheckFailed:
        self._dead = CheckFailed(status, message)
        self.close()
        return self._dead

    def _living_box(self) -> Box:
        if self._box is None:
            raise KeeperLost("no box is open")
        return self._box

    def _open(self) -> None:
        """Open a box and run the student's cells; again without a cell that has ended the box."""
        for _ in range(len(self._session.submission.cells) + 1):
            try:
                self._box = self._session.keeper().open_box()
            except KeeperLost:
                self._session.keepers_lost += 1
                raise self._die(Status.CRASH, "Your code ended the sandbox that it ran in.") from None
            self._failures = {}
            if self._run_cells(self._box):
                return
            self.close()

    def _run_cells(self, box: Box) -> bool:
        """Run the student's cells in order; False when the box must be opened again."""
        seed = int.from_bytes(hashlib.sha256(f"{self._session.submission.sha256}:{self._task}".encode()).digest()[:4], "big")
        box.request({"op": "seed", "seed": seed}, self._session.settings.call_seconds)
        for cell in self._session.submission.cells:
            skipped = self._session.skipped(cell)
            if skipped is not None:
                self._failures[cell.number] = skipped
            elif not self._run_cell(box, cell):
                return False
        return True

    def _run_cell(self, box: Box, cell: OwnCell) -> bool:
        limit = self._session.cell_limit(cell)
        message = {"op": "cell", "number": cell.number, "source": cell.source, "seconds": limit}
        place = Place(cell.grade_id or f"cell {cell.number}", cell.number if cell.grade_id else None, self._cells, self._names)
        watch = Stopwatch(box.pid)
        try:
            reply = box.request(message, limit + GRACE_SECONDS)
            failed = explain(reply["failure"], place) if reply["failure"] is not None else None
        except (BoxFailure, KeyError, TypeError) as error:
            status = error.status if isinstance(error, BoxFailure) else Status.CRASH
            failure = CheckFailed(status, f"{place.what}: {error}")
            self._session.skip(cell, failure)
            self._session.note_cell(cell, failure)
            self._session.took(cell, watch.seconds())
            return False
        self._session.took(cell, watch.seconds())
        if failed is not None:
            self._failures[cell.number] = failed
            self._session.note_cell(cell, failed)
            if failed.status is Status.TIMEOUT and limit != SHORT_SECONDS:
                self._session.cut_short(cell)
                return False
        return True


def _nothing(question: Any) -> None:
    return None
