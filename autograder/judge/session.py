"""One submission: runs the student's cells once, and opens for each task boxes in which its functions stand.

A box is a copy of the run behind the cell that was the last to define the function (judge/cells_run.py). Where threads
run, which no copy would have, the cells run once more for the task alone. All boxes together end within the
submission's time.
"""

from __future__ import annotations

import hashlib
import signal
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress

from autograder.box.messages import Defines, R, Request, Seed
from autograder.checking.exception_text import Place
from autograder.intake.submission import Submission
from autograder.judge.cells_run import NOTEBOOK, CellsRun
from autograder.judge.retries import End, Retries, State
from autograder.judge.student_in_box import StudentInBox
from autograder.judge.time_budget import Clock
from autograder.report import Notice
from autograder.sandbox import procfs
from autograder.sandbox.box import Box
from autograder.sandbox.box_failure import BoxFailure, KeeperLost
from autograder.sandbox.keeper import Keeper
from autograder.settings import Settings

# What others send to a process to end it. A fault of the code itself has signals of its own, as has a limit.
MOST_NAMES = 4  # that are looked for below the answer of a task that lacks them
FROM_OUTSIDE = frozenset({signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGKILL, signal.SIGTERM})


class Session:
    """One submission, from its first box to its last. Use as a context manager: leaving it kills all of them."""

    def __init__(
        self,
        keeper: Callable[[], Keeper],
        submission: Submission,
        settings: Settings,
        tasks: Mapping[str, Collection[str]],
        elsewhere: frozenset[str] = frozenset(),
    ) -> None:
        self.submission = submission
        self.settings = settings
        self.elsewhere = elsewhere
        self.needs = tasks  # the functions of other tasks that each task asks for
        self.tasks = list(tasks)
        self.keeper = keeper
        self.keepers_lost = 0
        self.requests = 0  # since the task began
        self.outputs: dict[str, str] = {}
        self.state = State(Clock(settings.submission_seconds))
        self.retries = Retries(self.state, settings.call_seconds)
        self._task = ""
        self._in_use: Keeper | None = None
        self._open: list[Box] = []
        self._run: CellsRun | None = None
        self._wanted: Counter[int] = Counter()  # boxes behind each cell that tasks will ask for
        self._of_cells: dict[int, int] = {}  # processes that the cells have started, as seen here and by the keeper
        self._began = False  # the cells were run in the present task
        self._late: set[str] = set()  # functions that are asked at the end of the notebook
        self._missing: set[tuple[str, str]] = set()  # functions, and the names that nothing binds where they stand
        self._sources = {cell.number: cell.source.splitlines() for cell in submission.cells}
        self._names = {cell.number: cell.grade_id for cell in submission.cells}

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        if self._open:
            self.close(list(self._open), NOTEBOOK)

    @contextmanager
    def open(self, task: str) -> Iterator[StudentInBox]:
        """Return the functions of the submission for the checks of a task."""
        self._task, self.requests, self._began = task, 0, False
        student = StudentInBox(self, task, len(self.tasks) - self.tasks.index(task) - 1)
        try:
            yield student
        finally:
            student.close()

    def run_again(self) -> bool:
        """Say, after a task, whether it must run again; then all that it has left is forgotten."""
        before = self.retries.after(self.state)
        if before is not None:
            self.state = before
            if self._began:
                self.drop_run()
            return True
        late, self._missing = {function for function, name in self._missing if self._comes_later(function, name)}, set()
        self._late |= late
        return bool(late)

    def stood_too_early(self, function: str, name: str) -> None:
        """Note that a function failed for a name that nothing binds where it stands."""
        if len(self._missing) < MOST_NAMES:
            self._missing.add((function, name))

    def _comes_later(self, function: str, name: str) -> bool:
        end = self._run.copies.get(self.last_cell) if self._run is not None else None
        if function in self._late or end is None:
            return False
        try:
            return self._ask(end, Defines(name)).yes
        except (BoxFailure, KeeperLost):
            self.drop_run()
            return False

    def _ask(self, box: Box, message: Request[R]) -> R:
        """Ask what is no call of a function; it takes of the submission's time all the same."""
        clock = self.state.clock
        watch = box.stopwatch()
        try:
            return box.request(message, max(0.0, min(self.settings.call_seconds, clock.rest)))
        finally:
            clock.calls_seconds += watch.seconds()

    def place(self, what: str, cell: int | None, run: CellsRun | None = None) -> Place:
        """Return how to name a function, or a cell, to the student."""
        run = run or self._run
        missing, failed = (run.missing, run.failures) if run is not None else ({}, {})
        return Place(what, cell, self._sources, self._names, self.elsewhere, missing, failed)

    # --- where functions stand ---

    @property
    def run(self) -> CellsRun:
        """The run of the cells, begun when it is first asked for; raises KeeperLost."""
        if self._run is None:
            self._run = self._run_cells()
            if self._in_use is not None:
                started = self._in_use.others({box.pid for box in self._open})
                self._of_cells = {pid: procfs.seen_from_inside(pid) for pid in started}
            self._wanted = Counter(map(self._first_asked, self.tasks))
        return self._run

    def _first_asked(self, task: str) -> int:
        """Return the cell behind which a task will want a box, as far as is known."""
        return self.last_cell_of(self.needs[task]) if self.needs[task] else self.cell_of(task)

    @property
    def last_cell(self) -> int:
        """The number of the last cell; 0 of a notebook without any."""
        return self.submission.cells[-1].number if self.submission.cells else 0

    def cell_of(self, function: str) -> int:
        """Return the cell behind which a function is judged: the last that defines it, or the last of all."""
        return self.last_cell if function in self._late else self.run.defined.get(function, self.last_cell)

    def last_cell_of(self, functions: Collection[str]) -> int:
        """Return the cell behind which the last of these functions stands; the last of all where none is defined."""
        return max((self.cell_of(name) for name in functions if name in self.run.defined), default=self.last_cell)

    # --- boxes ---

    def box_behind(self, cell: int, task: str) -> Box:
        """Return a box for a task, in which the cells have run up to this one; raises BoxFailure and KeeperLost."""
        with suppress(BoxFailure):  # something has ended what stood there, a kill of everything say
            return self._seeded_behind(cell, task)
        self.drop_run()
        return self._seeded_behind(cell, task)

    def _seeded_behind(self, cell: int, task: str) -> Box:
        box = self._copy_behind(cell)
        try:
            self.seed(box, task)
        except BoxFailure:
            self.close([box], task, failed=True)
            raise
        return box

    def _copy_behind(self, cell: int) -> Box:
        if cell in self.run.taken:
            self.drop_run()
        run = self.run
        cell = cell if cell in run.copies else self.last_cell  # another run may have gone otherwise
        self._wanted[cell] -= 1
        if run.is_quick and self._wanted[cell] == 0:  # should it be missed, the cells are soon run again
            return run.take(cell) or self._run_cells(until=cell).box
        stands = run.copies[cell]
        box = self.copy(stands) if stands is not None else None
        return box or self._run_cells(until=cell).box

    def copy(self, box: Box) -> Box | None:
        """Return a copy of a box; None where there is none to be had. Raises BoxFailure and KeeperLost."""
        watch = box.stopwatch()
        try:
            copy = box.copy()
        finally:
            self.state.clock.calls_seconds += watch.seconds()
        if copy is not None:
            self._open.append(copy)
        return copy

    def _run_cells(self, until: int | None = None) -> CellsRun:
        """Run the cells, again without one that has ended its box; `until`: only up to that cell."""
        self._began = True
        while True:
            self._in_use = self.keeper()
            box = self._in_use.open_box()
            self._open.append(box)
            run = CellsRun(self, box, until)
            finished = False
            try:
                self.seed(box, NOTEBOOK)
                finished = run.finish()
            except BoxFailure as failure:  # no code of the student's has run yet
                raise KeeperLost(failure.message) from None
            finally:
                if not finished:
                    self.close(run.boxes, NOTEBOOK, failed=True)
            if finished:
                return run

    def seed(self, box: Box, name: str) -> None:
        """Seed the generators of a box by the submission and what the box is for; raises BoxFailure and KeeperLost."""
        digest = hashlib.sha256(f"{self.submission.sha256}:{name}".encode()).digest()
        self._ask(box, Seed(int.from_bytes(digest[:4], "big")))

    def close(self, boxes: Collection[Box], name: str, failed: bool = False) -> None:
        """Close boxes, kill what they have started, and keep for staff what they have printed.

        `failed`: one of them may not end by itself.
        """
        for box in boxes:
            self._open.remove(box)
            box.end()
        keeper, left = self._in_use, self._open
        known = {box.pid for box in (*left, *boxes)} | self._of_cells.keys()
        if keeper is not None and (failed or not left or keeper.others(known)):
            clean = keeper.clear([*(box.inside for box in left), *(self._of_cells.values() if left else ())])
            if not clean and left:
                self.drop_run()
        for box in boxes:
            box.close()
            self._keep_output(name, box)

    def let_go(self, box: Box) -> None:
        """Close a box that waits, and leave alone what the cells have started."""
        self._open.remove(box)
        box.end()
        box.close()

    def drop_run(self) -> None:
        """Forget the run of the cells: the next box begins another one."""
        run, self._run = self._run, None
        self._of_cells = {}
        if run is not None:
            self.close(run.boxes, NOTEBOOK, failed=True)

    def note_end(self, box: Box) -> None:
        """Note an end of a box that could have come from outside."""
        ended_by = -(box.exit_status or 0)
        if ended_by in FROM_OUTSIDE:
            self.retries.note(End(self._task, self.requests, ended_by))

    def lost(self) -> None:
        """Note that the keeper is gone, and with it every box."""
        self.keepers_lost += 1
        self.retries.note(End(self._task, self.requests, 0))
        self.drop_run()

    def _keep_output(self, name: str, box: Box) -> None:
        """Keep what a box has printed for staff; tell the student once when it was too much."""
        self.outputs[name] = self.outputs.get(name, "") + bytes(box.output.kept).decode("utf-8", "replace")
        self.state.suspicions.extend(f"{name}: {suspicion}" for suspicion in box.suspicions)
        if box.output.total_bytes > box.output.limit_bytes:
            kept = self.settings.output_kib
            message = f"The code printed more than {kept} KiB; the rest was thrown away. It cost no points."
            self.state.notices.setdefault(("output_truncated", 0), Notice("output_truncated", message))
