"""The functions of a submission, each in a box in which the notebook has run up to where it stands."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from torch import Tensor

from autograder.box.messages import CallRounds, Evaluate, Failure, R, Request, RoundFailed
from autograder.checking.exception_text import MISSING_NAME, Place
from autograder.checking.student import Answering, Call, Student
from autograder.sandbox.box import Box
from autograder.sandbox.box_failure import BoxFailure, KeeperLost
from autograder.verdict import CheckFailed, Status

if TYPE_CHECKING:
    from autograder.judge.session import Session

T = TypeVar("T")


class StudentInBox(Student):
    """The functions for the checks of one task. A box opens with the first request that concerns what stands in it."""

    def __init__(self, session: Session, task: str, later_tasks: int) -> None:
        super().__init__()
        self._session = session
        self._task = task
        self._later = later_tasks
        self._boxes: dict[int, Box] = {}  # by the cell behind which they begin
        self._together: dict[str, int] = {}  # functions that are asked behind another cell than their own
        self._dead: CheckFailed | None = None

    def stand_in(self, function: str, answer: Callable[..., Tensor]) -> None:
        """Stand in for a function in every box, those that are open and those to come."""
        self._stand_ins[function] = answer
        for box in self._boxes.values():
            self._ask(box, self._standing_in(function), self.answer)

    def together(self, functions: Collection[str]) -> bool:
        """Ask these functions in one box from now on, behind the cell where the last of them stands."""
        cell = self._found(lambda: self._session.last_cell_of(functions))
        self._together = dict.fromkeys(functions, cell)
        return any(self._found(partial(self._session.cell_of, name)) != cell for name in functions)

    def separately(self) -> None:
        """Ask each function where it stands, as at first, whatever has come of asking them together."""
        self._together = {}
        if self.seconds_left() > 0:
            self._dead = None

    def apart(self, calls: Sequence[Call]) -> list[list[int]]:
        """Return the numbers of the calls that are answered in the same box."""
        groups: dict[int, list[int]] = {}
        for number, call in enumerate(calls):
            groups.setdefault(self._cell_of(call.function), []).append(number)
        return list(groups.values())

    def close(self) -> None:
        """Kill the boxes and what they have started."""
        boxes, self._boxes = list(self._boxes.values()), {}
        if boxes:
            self._session.close(boxes, self._task, failed=self._dead is not None)

    def place(self, function: str) -> Place:
        """Return the function's name and cells."""
        numbers = self._session.submission.answers.get(function, ())
        return self._session.place(function, numbers[-1] if numbers else None)

    def undefined(self, function: str) -> CheckFailed:
        """Return the reason why the notebook defines no such function."""
        numbers = self._session.submission.answers.get(function, ())
        if not numbers:
            return CheckFailed(
                Status.NOT_ATTEMPTED,
                f"The notebook defines no function {function}; its answer cell is missing or empty.",
            )
        failures = self._found(lambda: self._session.run.failures)
        for number in reversed(numbers):
            if number in failures:
                return failures[number]
        what = self.place(function).what
        return CheckFailed(
            Status.NOT_ATTEMPTED, f"{what} ran, but defines no function of that name; is the def line still there?"
        )

    def seconds_left(self) -> float:
        """Return how long this task's calls may still take; waiting for a processor hardly counts."""
        return self._session.state.clock.left(self._later)

    def request(self, message: Request[R], answer: Answering) -> R:
        """Send a request to its box; a box that failed once fails the rest of its task in the same way."""
        if self._dead is not None:
            raise self._dead
        cell = self._cell_about(message)
        box = self._boxes.get(cell) or self._open(cell)
        reply = self._ask(box, message, answer)
        self._look_for_missing_names(message, reply)
        return reply

    def _ask(self, box: Box, message: Request[R], answer: Answering) -> R:
        session, clock = self._session, self._session.state.clock
        left = self.seconds_left()
        if left <= 0:
            raise self._out_of_time()
        watch = box.stopwatch()
        session.requests += 1
        try:
            return box.request(message, min(session.settings.call_seconds, left), answer)
        except BoxFailure as failure:
            session.note_end(box)
            if failure.status is Status.TIMEOUT and left < session.settings.call_seconds:
                raise self._out_of_time() from None
            raise self._failed_in(message.about or self._task, failure) from None
        except KeeperLost:
            raise self._lost() from None
        finally:
            clock.calls_seconds += watch.seconds()

    def _open(self, cell: int) -> Box:
        if self.seconds_left() <= 0:
            raise self._out_of_time()
        try:
            box = self._boxes[cell] = self._session.box_behind(cell, self._task)
        except BoxFailure as failure:
            raise self._failed_in(self._task, failure) from None
        except KeeperLost:
            raise self._lost() from None
        for function in self._stand_ins:
            self._ask(box, self._standing_in(function), self.answer)
        return box

    def _cell_about(self, message: Request[R]) -> int:
        if isinstance(message, Evaluate):
            return self._found(lambda: self._session.last_cell_of(self._session.needs[self._task]))
        function = message.calls[0].function if isinstance(message, CallRounds) else message.about
        return self._cell_of(function or self._task)

    def _cell_of(self, function: str) -> int:
        if not self._session.needs[self._task]:
            function = self._task  # others are asked as its own function would call them
        return self._together.get(function) or self._found(lambda: self._session.cell_of(function))

    def _found(self, find: Callable[[], T]) -> T:
        """Return what the run of the cells tells."""
        try:
            return find()
        except KeeperLost:
            raise self._lost() from None

    def _look_for_missing_names(self, message: Request[R], reply: object) -> None:
        function, failure = message.about, reply
        if isinstance(message, CallRounds) and isinstance(reply, RoundFailed):
            function, failure = message.calls[min(reply.call, len(message.calls) - 1)].function, reply.why
        if isinstance(failure, Failure) and failure.type == "NameError":
            for name in MISSING_NAME.findall(failure.text):
                self._session.stood_too_early(function, name)

    def _failed_in(self, function: str, failure: BoxFailure) -> CheckFailed:
        return self._die(failure.status, f"{self.place(function).what}: {failure.message}")

    def _out_of_time(self) -> CheckFailed:
        limit = self._session.state.clock.limit_seconds
        return self._die(
            Status.TIMEOUT,
            f"The time of a submission ({limit:g} s) was used up before this check was done; "
            "which of your functions or cells is slow?",
        )

    def _lost(self) -> CheckFailed:
        self._session.lost()
        return self._die(Status.CRASH, "Your code ended the sandbox that it ran in.")

    def _die(self, status: Status, message: str) -> CheckFailed:
        self._dead = CheckFailed(status, message)
        self.close()
        return self._dead
