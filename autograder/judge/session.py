"""One submission in its boxes: runs the student's cells, spends the submission's time, tells what it saw.

Every task gets a fresh box, in which the student's own cells run again from the top. A cell that fails costs only what
depends on it. A cell that takes too long is cut short; once the cells have used their part of the submission's time,
the long ones get a second each, in every later box alike. All boxes together end within the submission's time.
"""

from __future__ import annotations

import hashlib
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from torch import Tensor

from autograder.box.messages import CellRan, R, Request, RunCell, Seed
from autograder.checking.exception_text import MISSING_NAME, Place, explain, why_missing
from autograder.checking.student import Answering, Student
from autograder.intake.cells import RawCell
from autograder.intake.submission import Submission
from autograder.judge.retries import End, Retries, State
from autograder.judge.time_budget import CellTimes, Clock
from autograder.report import Notice
from autograder.sandbox.box import Box
from autograder.sandbox.box_failure import BoxFailure, KeeperLost
from autograder.sandbox.keeper import Keeper
from autograder.settings import Settings
from autograder.text import listed
from autograder.verdict import CheckFailed, Status

UNRUN = re.compile(r"(?:!|%{1,2})[\w.+-]{0,40}")
GRACE_SECONDS = 1.0  # for an exception to end a cell before the box is killed
# What others send to a process to end it. A fault of the code itself has signals of its own, as has a limit.
FROM_OUTSIDE = frozenset({signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGKILL, signal.SIGTERM})


class Session:
    """One submission, from its first box to its last."""

    def __init__(
        self,
        keeper: Callable[[], Keeper],
        submission: Submission,
        settings: Settings,
        tasks: list[str],
        elsewhere: frozenset[str] = frozenset(),
    ) -> None:
        self.submission = submission
        self.settings = settings
        self.elsewhere = elsewhere
        self.keeper = keeper
        self.keepers_lost = 0
        self.outputs: dict[str, str] = {}
        self._tasks = tasks
        clock = Clock(settings.submission_seconds)
        self.state = State(clock, CellTimes(clock, settings.cell_seconds))
        self.retries = Retries(self.state, settings.call_seconds)

    def run_again(self) -> bool:
        """Say, after a task, whether it must run again; then all that it has left is forgotten."""
        before = self.retries.after(self.state)
        self.state = before or self.state
        return before is not None

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
        self.state.suspicions.extend(f"{task}: {suspicion}" for suspicion in box.suspicions)
        if box.output.total_bytes > box.output.limit_bytes:
            kept = self.settings.output_kib
            message = f"The code printed more than {kept} KiB; the rest was thrown away. It cost no points."
            self.state.notices.setdefault(("output_truncated", 0), Notice("output_truncated", message))

    def note_cell(self, cell: RawCell, failure: CheckFailed) -> None:
        """Tell the student of a cell that did not run to its end."""
        code = "cell_cut_short" if failure.status is Status.TIMEOUT else "cell_failed"
        name = cell.grade_id or f"cell {cell.number}"
        self.state.notices.setdefault((code, cell.number), Notice(code, failure.message, name))

    def note_unrun(self, cell: RawCell, unrun: list[str]) -> None:
        """Tell the student of magics and commands that are not run."""
        if found := [what for what in unrun if UNRUN.fullmatch(what)]:
            are = "is" if len(found) == 1 else "are"
            message = f"{listed(found)} {are} not run during grading, so no answer may rely on what that would do."
            name = cell.grade_id or f"cell {cell.number}"
            self.state.notices.setdefault(("magic_not_run", cell.number), Notice("magic_not_run", message, name))


class BoxStudent(Student):
    """The functions of a submission, in a box of this task's own. The box opens with the first call."""

    def __init__(self, session: Session, task: str, later_tasks: int) -> None:
        super().__init__()
        self._session = session
        self._task = task
        self._later = later_tasks
        self._box: Box | None = None
        self._requests = 0
        self._dead: CheckFailed | None = None
        self._failures: dict[int, CheckFailed] = {}
        self._missing: dict[str, str] = {}  # names that the notebook lacks, with how the cell failed that binds them
        cells = session.submission.cells
        self._cells = {cell.number: cell.source.splitlines() for cell in cells}
        self._names = {cell.number: cell.grade_id for cell in cells}

    def stand_in(self, function: str, answer: Callable[..., Tensor]) -> None:
        """Stand in for a function; in a box that is not open yet for the cells too, which may call it or keep it."""
        if self._box is not None:
            super().stand_in(function, answer)
        else:
            self._stand_ins[function] = answer

    def close(self) -> None:
        """Kill the box and what it has started."""
        if self._box is not None:
            box, self._box = self._box, None
            box.__exit__()
            self._session.keep_output(self._task, box)

    def place(self, function: str) -> Place:
        """Return the function's name and cells."""
        numbers = self._session.submission.answers.get(function, ())
        return self._place(function, numbers[-1] if numbers else None)

    def _place(self, function: str, cell: int | None) -> Place:
        elsewhere = self._session.elsewhere
        return Place(function, cell, self._cells, self._names, elsewhere, self._missing, self._failures)

    def undefined(self, function: str) -> CheckFailed:
        """Return the reason why the notebook defines no such function."""
        numbers = self._session.submission.answers.get(function, ())
        if not numbers:
            return CheckFailed(
                Status.NOT_ATTEMPTED,
                f"The notebook defines no function {function}; its answer cell is missing or empty.",
            )
        for number in reversed(numbers):
            if number in self._failures:
                return self._failures[number]
        what = self.place(function).what
        return CheckFailed(
            Status.NOT_ATTEMPTED, f"{what} ran, but defines no function of that name; is the def line still there?"
        )

    def seconds_left(self) -> float:
        """Return how long this task's calls may still take; waiting for a processor hardly counts."""
        return self._session.state.clock.left(self._later)

    def request(self, message: Request[R], answer: Answering) -> R:
        """Send a request to the box; a box that failed once fails the rest of its task in the same way."""
        if self._dead is not None:
            raise self._dead
        box = self._box or self._open()
        clock = self._session.state.clock
        left = clock.left(self._later)
        if left <= 0:
            raise self._out_of_time()
        watch = box.stopwatch()
        self._requests += 1
        try:
            return box.request(message, min(self._session.settings.call_seconds, left), answer)
        except BoxFailure as failure:
            self._note_end(box)
            if failure.status is Status.TIMEOUT and left < self._session.settings.call_seconds:
                raise self._out_of_time() from None
            what = self.place(message.about or self._task).what
            raise self._die(failure.status, f"{what}: {failure.message}") from None
        except KeeperLost:
            raise self._lost() from None
        finally:
            clock.calls_seconds += watch.seconds()

    def _out_of_time(self) -> CheckFailed:
        limit = self._session.state.clock.limit_seconds
        return self._die(
            Status.TIMEOUT,
            f"The time of a submission ({limit:g} s) was used up before this check was done; "
            "which of your functions or cells is slow?",
        )

    def _note_end(self, box: Box) -> None:
        ended_by = -(box.exit_status or 0)
        if ended_by in FROM_OUTSIDE:
            self._session.retries.note(End(self._task, self._requests, ended_by))

    def _lost(self) -> CheckFailed:
        self._session.keepers_lost += 1
        self._session.retries.note(End(self._task, self._requests, 0))
        return self._die(Status.CRASH, "Your code ended the sandbox that it ran in.")

    def _die(self, status: Status, message: str) -> CheckFailed:
        self._dead = CheckFailed(status, message)
        self.close()
        return self._dead

    def _open(self) -> Box:
        """Open a box and run the student's cells; again without a cell that has ended the box."""
        try:
            while True:  # each round leaves out a cell, or makes one short
                self._box = self._session.keeper().open_box()
                self._failures = {}
                self._session.state.cell_times.new_box()
                if self._run_cells(self._box):
                    return self._box
                self.close()
        except KeeperLost:
            raise self._lost() from None

    def _run_cells(self, box: Box) -> bool:
        """Run the student's cells in order; False when the box must be opened again."""
        digest = hashlib.sha256(f"{self._session.submission.sha256}:{self._task}".encode()).digest()
        try:
            seed = int.from_bytes(digest[:4], "big")
            box.request(Seed(seed), self._session.settings.call_seconds)
            for function in self._stand_ins:
                box.request(self._standing_in(function), self._session.settings.call_seconds)
        except BoxFailure as failure:  # no code of the student's has run yet
            raise KeeperLost(failure.message) from None
        for cell in self._session.submission.cells:
            skipped = self._session.state.skipped.get(cell.number)
            if skipped is not None:
                self._failures[cell.number] = skipped
            elif not self._run_cell(box, cell):
                return False
        return True

    def _run_cell(self, box: Box, cell: RawCell) -> bool:
        """Run one cell; False when the box must be opened again."""
        times = self._session.state.cell_times
        if self._session.state.clock.rest <= 0:
            raise self._out_of_time()
        number = cell.number if cell.grade_id else None
        place = self._place(cell.grade_id or f"cell {cell.number}", number)
        limit = times.limit(cell)
        if limit <= 0:
            self._failures[cell.number] = CheckFailed(Status.TIMEOUT, f"{place.what} was left out: it takes too long.")
            return True
        source = cell.source.encode("utf-8", "surrogatepass")
        watch = box.stopwatch()
        self._requests += 1
        try:
            ran = box.request(RunCell(cell.number, source, limit), limit + GRACE_SECONDS, self.answer)
            failed = self._explained(ran, place)
            self._session.note_unrun(cell, ran.unrun)
        except BoxFailure as failure:
            self._note_end(box)
            self._leave_out(cell, CheckFailed(failure.status, f"{place.what}: {failure.message}"))
            return False
        finally:
            times.took(cell, watch.seconds())
        if failed is None:
            return True
        self._failures[cell.number] = failed
        self._session.note_cell(cell, failed)
        return failed.status is not Status.TIMEOUT or not times.cut_short(cell)

    def _explained(self, ran: CellRan, place: Place) -> CheckFailed | None:
        """Return what is told of a cell, and keep which names are missing for what failed in it."""
        if ran.failure is None:
            return None
        told = explain(ran.failure, place)
        for failure, names in ((failed.why, failed.missing) for failed in ran.failures):
            root = MISSING_NAME.search(failure.text) if failure.type == "NameError" else None
            why = (root and why_missing(root[1], place)) or explain(failure, place).message
            self._missing.update(dict.fromkeys(names, why))
        return told

    def _leave_out(self, cell: RawCell, failure: CheckFailed) -> None:
        """Leave a cell that ended its box, or could not be cut short, out of later boxes."""
        self._session.state.skipped[cell.number] = failure
        self._session.note_cell(cell, failure)
