"""One run of the student's cells, in their order, and a copy of it behind each cell that completes an answer.

A cell that fails costs only what depends on it. One that takes too long is cut short; one that ends its process is
left out of the next run. An answer is judged where it stands: later cells may bind its names anew.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from autograder.box.messages import CellRan, RunCell
from autograder.checking.exception_text import MISSING_NAME, Place, explain, why_missing
from autograder.intake.cells import RawCell
from autograder.report import Notice
from autograder.sandbox.box import Box
from autograder.sandbox.box_failure import BoxFailure
from autograder.text import listed
from autograder.verdict import CheckFailed, Status

if TYPE_CHECKING:
    from autograder.judge.session import Session

UNRUN = re.compile(r"(?:!|%{1,2})[\w.+-]{0,40}")
GRACE_SECONDS = 1.0  # for an exception to end a cell before the box is killed
NOTEBOOK = "notebook"  # what the run is called, beside the tasks
QUICK_SECONDS = 0.5
SHORT_SECONDS = 1.0  # what a cell gets once the cells have used up what they may take together


class CellsRun:
    """The notebook as it runs in one box; with `until`, up to that cell, and without copies."""

    def __init__(self, session: Session, box: Box, until: int | None = None) -> None:
        self.box = box
        self.failures: dict[int, CheckFailed] = {}  # by the number of the cell
        self.missing: dict[str, str] = {}  # names that the notebook lacks, with how the cell failed that binds them
        self.defined: dict[str, int] = {}  # the cell that was the last to define each function
        self.copies: dict[int, Box | None] = {}  # by the cell that they stand behind; None: there is none to be had
        self.taken: set[int] = set()  # the cells behind which a copy stood that a task has used up
        self.seconds = 0.0
        self._session = session
        cells = session.submission.cells
        self._cells = [cell for cell in cells if until is None or cell.number <= until]
        self._last = self._cells[-1].number if self._cells else 0
        self._copies = until is None

    @property
    def boxes(self) -> list[Box]:
        """The run itself and its copies, without those that were taken."""
        copies = [copy for copy in self.copies.values() if copy is not None]
        return copies if self.box in copies or self._last in self.taken else [self.box, *copies]

    @property
    def is_quick(self) -> bool:
        """Whether running the cells again takes hardly longer than a copy."""
        return self.seconds < QUICK_SECONDS

    def take(self, cell: int) -> Box | None:
        """Give away the box behind a cell; None where there is none."""
        box = self.copies.pop(cell)
        self.taken.add(cell)
        return box

    def finish(self) -> bool:
        """Run the cells to the last; False when one has ended the box, and is left out of the next run."""
        for cell in self._cells:
            skipped = self._session.state.skipped.get(cell.number)
            if skipped is not None:
                self.failures[cell.number] = skipped
            elif not self._run(cell):
                return False
        self.copies[self._last] = self.box
        return True

    def _run(self, cell: RawCell) -> bool:
        clock = self._session.state.clock
        place = self._session.place(
            cell.grade_id or f"cell {cell.number}", cell.number if cell.grade_id else None, self
        )
        limit = self._limit()
        if limit <= 0:
            self._fail(
                cell,
                CheckFailed(Status.TIMEOUT, f"{place.what} was left out: the cells before it took all of their time."),
            )
            return True
        source = cell.source.encode("utf-8", "surrogatepass")
        watch = self.box.stopwatch()
        self._session.requests += 1
        try:
            ran = self.box.request(RunCell(cell.number, source, limit), limit + GRACE_SECONDS)
            self._keep_failures(cell, ran, place)
            self._note_unrun(cell, ran.unrun)
            self._note(cell, ran.defined)
        except BoxFailure as failure:
            self._session.note_end(self.box)
            self._fail(cell, CheckFailed(failure.status, f"{place.what}: {failure.message}"))
            self._session.state.skipped[cell.number] = self.failures[cell.number]
            return False
        finally:
            self.seconds += watch.seconds()
            clock.cells_seconds += watch.seconds()
        return True

    def _keep_failures(self, cell: RawCell, ran: CellRan, place: Place) -> None:
        """Tell what failed in a cell, and keep which names are missing for it."""
        if ran.failure is None:
            return
        told = explain(ran.failure, place)
        for failure, names in ((failed.why, failed.missing) for failed in ran.failures):
            root = MISSING_NAME.search(failure.text) if failure.type == "NameError" else None
            why = (root and why_missing(root[1], place)) or explain(failure, place).message
            self.missing.update(dict.fromkeys(names, why))
        self._fail(cell, told)

    def _note_unrun(self, cell: RawCell, unrun: list[str]) -> None:
        """Tell the student of magics and commands that are not run."""
        if found := [what for what in unrun if UNRUN.fullmatch(what)]:
            are = "is" if len(found) == 1 else "are"
            message = f"{listed(found)} {are} not run during grading, so no answer may rely on what that would do."
            self._tell(cell, "magic_not_run", message)

    def _tell(self, cell: RawCell, code: str, message: str) -> None:
        name = cell.grade_id or f"cell {cell.number}"
        self._session.state.notices.setdefault((code, cell.number), Notice(code, message, name))

    def _limit(self) -> float:
        """Return how long the next cell may take, so that each task keeps its reserve; 0 to leave it out."""
        clock, tasks = self._session.state.clock, len(self._session.tasks)
        left = max(clock.left(tasks), min(SHORT_SECONDS, clock.left(tasks / 2)))
        return min(self._session.settings.cell_seconds, left)

    def _note(self, cell: RawCell, defined: list[str]) -> None:
        """Copy the box behind a cell that has defined functions; what stood behind their older cells is not asked."""
        self.defined.update(dict.fromkeys(defined, cell.number))
        for number in self.copies.keys() - set(self.defined.values()):
            old = self.copies.pop(number)
            if old is not None:
                self._session.let_go(old)
        if defined and self._copies and cell.number != self._last:
            self.copies[cell.number] = self._session.copy(self.box)

    def _fail(self, cell: RawCell, failure: CheckFailed) -> None:
        """Tell the student of a cell that did not run to its end."""
        self.failures[cell.number] = failure
        self._tell(cell, "cell_cut_short" if failure.status is Status.TIMEOUT else "cell_failed", failure.message)
