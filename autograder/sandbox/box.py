"""The judge's end of one box: asks, waits within limits, and says what went wrong.

Every wait goes through `Box._wait`: it drains the box's print-outs, hears from the keeper when the box has ended, and
watches clock, memory and scratch space, also while the box keeps talking. So a box that is silent, slow, greedy,
talkative or gone always ends as a `BoxFailure`, and what it can make the judge hold is bounded by `MAX_QUESTIONS` and
`MAX_RECEIVED_BYTES` a request.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import select
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor

from autograder.box.messages import Answer, Copy, Frame, ProbeQuestion, Question, R, Request, StandInQuestion, Threads
from autograder.box.schema import Malformed, Message
from autograder.box.wire import WireError, encode, read_frame
from autograder.sandbox import procfs
from autograder.sandbox.box_failure import BoxFailure, ended
from autograder.sandbox.line import Line, Output
from autograder.sandbox.stopwatch import POLL_SECONDS, Stopwatch
from autograder.verdict import Status

if TYPE_CHECKING:
    from autograder.sandbox.keeper import Keeper

# What torch and the prelude hold when a box begins. A process's own limit counts from there (box/limits.py), and so
# must the box's: else it is chance which of the two a greedy process meets first, and which message a student reads.
BEGINNING_BYTES = 256 << 20
SILENCE_BYTES = 1 << 20  # a time-out after this much output is called a flood
GROWTH_BYTES = 256 << 20  # a time-out after memory grew by this much is called after the memory
COPY_SECONDS = 5.0  # a fork takes milliseconds
EXIT_SECONDS = 1.0  # for the keeper to hear of a box that is gone
MAX_QUESTIONS = 2_000  # a request; a right answer asks some twenty, one that asks row by row a thousand
MAX_RECEIVED_BYTES = 64 << 20  # a request, reply and questions together; the judge holds on to them
MAX_SCRATCH_BYTES = 512 << 20  # on disk, where there is no sized folder in memory
MAX_SCRATCH_FILES = 20_000  # each takes a kilobyte that no limit of a process counts
TOO_MANY_POINTS = "Your code asked the model about more points than any right answer needs."

Answering = Callable[[Question], Tensor | None]


@dataclass
class Pending:
    """One request on its way: what it may still take, and what came for it so far."""

    number: int
    clock: Stopwatch
    seconds: float
    checked: float
    began_bytes: int | None = None  # resident when limits were first looked at
    grew_bytes: int = 0
    questions: int = 0
    received_bytes: int = 0


class Box:
    """One box, from fork to end. Use as a context manager: leaving it kills whatever the box has started.

    `inside` is its process as the keeper sees it, `pid` the same on this machine.
    """

    def __init__(self, keeper: Keeper, line: Line, inside: int, pid: int) -> None:
        self._keeper = keeper
        self._line = line
        self._sock = line.ours
        self._sock.setblocking(False)
        os.set_blocking(line.output, False)
        self.output = Output(keeper.plan.kept_output_bytes, bytearray())
        self.exit_status: int | None = None
        self.inside = inside
        self.pid = pid
        self._waiting = [procfs.Waiting(pid), procfs.Waiting("thread-self")]
        self.suspicions: list[str] = []

    def __enter__(self) -> Box:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
        self._keeper.clear()
        self.close()

    def end(self) -> None:
        """Let go of the channel: a box that waits for the judge ends by that."""
        self._sock.close()

    def close(self) -> None:
        """Read what was printed last, and let go of everything."""
        self._sock.close()
        with contextlib.suppress(OSError):
            self._drain()
        self._line.close()
        for waiting in self._waiting:
            waiting.close()

    def copy(self) -> Box | None:
        """Return a box that goes on from where this one stands; None where threads run, which no copy would have.

        Raises BoxFailure and KeeperLost.
        """
        line = Line()
        try:
            if type(self.request(Copy(procfs.thread_count([self.pid])), COPY_SECONDS, passing=line.theirs)) is Threads:
                line.close()
                return None
            line.close_theirs()
            pid = line.speaker(COPY_SECONDS)
            inside = procfs.seen_from_inside(pid)
            if not inside:
                raise BoxFailure(Status.RESOURCE, "Your code left no room for another process.")
            self._keeper.adopt(inside)
        except BaseException:
            line.close()
            raise
        return Box(self._keeper, line, inside, pid)

    def stopwatch(self) -> Stopwatch:
        """Return a stopwatch that has just been started for this box."""
        return Stopwatch(self._waiting, self._keeper.busy_threads)

    def request(
        self, message: Request[R], seconds: float, answer: Answering | None = None, passing: Sequence[int] = ()
    ) -> R:
        """Send one request and return its reply, answering the questions that are asked in between.

        `passing` are descriptors that go with it.

        The reply is of one of the classes that are due to it. Raises BoxFailure, KeeperLost, and WireError
        for a message that cannot be sent.
        """
        pending = Pending(secrets.randbits(62), self.stopwatch(), seconds, time.monotonic())
        self._send(Frame(pending.number, message), pending)
        if passing:
            with contextlib.suppress(OSError):  # a box that is gone is met below
                socket.send_fds(self._sock, [b"."], passing)
        while True:
            said = self._said(pending)
            if isinstance(said, message.replies):
                reply: R = said  # type: ignore[assignment]
                return reply
            if not isinstance(said, ProbeQuestion | StandInQuestion):
                raise self._no_answer(f"a {type(said).__name__}")
            pending.questions += 1
            if pending.questions > MAX_QUESTIONS:
                raise BoxFailure(
                    Status.TIMEOUT, "Your code called the model without end; how many steps should it take?"
                )
            started = time.monotonic()
            value = answer(said) if answer is not None else None
            pending.clock.forget(time.monotonic() - started)
            self._send_answer(Answer(value), pending)

    def _said(self, pending: Pending) -> Message:
        """Return what comes next for a request."""
        try:
            frame = read_frame(lambda count: self._receive(count, pending))
        except Malformed as error:
            raise self._no_answer(str(error)) from None
        except WireError as error:
            raise self._out_of_turn(str(error)) from None
        if type(frame) is not Frame or frame.number != pending.number:
            raise self._out_of_turn("a reply to a question that was not asked")
        return frame.message

    def _no_answer(self, what: str) -> BoxFailure:
        self.suspicions.append(f"answered in the grader's place: {what}")
        return BoxFailure(Status.CRASH, "what came back from your code's process is no answer.")

    def _out_of_turn(self, what: str) -> BoxFailure:
        self.suspicions.append(f"spoke out of turn on the grader's channel: {what}")
        return BoxFailure(
            Status.CRASH,
            "Your code wrote to a file descriptor that it did not open, and the connection to it broke; "
            "leave descriptors that you did not open alone.",
        )

    def _send_answer(self, answer: Answer, pending: Pending) -> None:
        try:
            self._send(Frame(pending.number, answer), pending)
        except WireError:  # it is as long as its question, perhaps in higher precision
            raise BoxFailure(Status.OUTPUT, TOO_MANY_POINTS) from None

    def _send(self, message: Frame, request: Pending) -> None:
        data = memoryview(encode(message))
        while data:
            try:
                data = data[self._sock.send(data[: 1 << 20]) :]
            except BlockingIOError:
                self._wait(select.POLLOUT, request)
            except OSError:
                raise self._ended() from None

    def _receive(self, count: int, request: Pending) -> bytearray:
        request.received_bytes += count
        if request.received_bytes > MAX_RECEIVED_BYTES:
            raise BoxFailure(Status.OUTPUT, TOO_MANY_POINTS)
        data = bytearray(count)
        rest = memoryview(data)
        while rest:
            try:
                received = self._sock.recv_into(rest)
            except BlockingIOError:
                self._wait(select.POLLIN, request)
                continue
            except OSError:
                raise self._ended() from None
            if not received:
                raise self._ended()
            rest = rest[received:]
        return data

    def _wait(self, event: int, request: Pending) -> None:
        """Return when the socket is ready for the event."""
        poll = select.poll()
        poll.register(self._sock, event)
        poll.register(self._keeper.control, select.POLLIN)
        poll.register(self._line.output, select.POLLIN)
        while True:
            self._check_limits(request)  # before each wait: a box that sends a byte now and then is watched too
            if self._keeper.has_ended(self.inside) and not select.select([self._sock], [], [], 0)[0]:
                raise self._ended()
            ready = dict(poll.poll(POLL_SECONDS * 1000))
            if self._line.output in ready and not self._drain():
                poll.unregister(self._line.output)
            if self._sock.fileno() in ready:
                return
            if self._keeper.control.fileno() in ready:
                self._keeper.hear()

    def _check_limits(self, request: Pending) -> None:
        if time.monotonic() - request.checked < POLL_SECONDS:
            return
        request.checked = time.monotonic()
        self._check_space(request)
        if request.clock.seconds() > request.seconds:
            raise self._too_slow(request)

    def _drain(self) -> bool:
        """Read what the box has printed; False once nothing more can come."""
        for _ in range(64):
            try:
                chunk = os.read(self._line.output, 1 << 16)
            except BlockingIOError:
                return True
            if not chunk:
                return False
            self.output.take(chunk)
        return True

    def _check_space(self, request: Pending) -> None:
        keeper, limit = self._keeper, self._keeper.plan.memory_bytes
        scratch = keeper.scratch_use()
        pids = list(procfs.descendants(keeper.pid))
        own = limit + BEGINNING_BYTES - scratch.memory_bytes
        resident = procfs.resident_bytes(pids)
        request.began_bytes = resident if request.began_bytes is None else request.began_bytes
        request.grew_bytes = resident - request.began_bytes
        if resident > own and procfs.proportional_bytes(pids) > own:
            raise BoxFailure(Status.MEMORY, f"Your code used more than the {limit >> 20} MiB of memory it may have.")
        if scratch.files > MAX_SCRATCH_FILES or scratch.disk_bytes > MAX_SCRATCH_BYTES:
            raise BoxFailure(Status.RESOURCE, "Your code wrote more files, or larger ones, than it may leave behind.")

    def _too_slow(self, request: Pending) -> BoxFailure:
        seconds = request.seconds
        if procfs.thread_count(list(procfs.descendants(self._keeper.pid))) >= self._keeper.plan.most_processes - 1:
            return BoxFailure(
                Status.RESOURCE,
                f"Your code started more than the {self._keeper.plan.processes} processes and threads it may have.",
            )
        if self.output.total_bytes > SILENCE_BYTES:
            return BoxFailure(Status.OUTPUT, f"Your code printed without end and took longer than {seconds:g} s.")
        if request.grew_bytes > GROWTH_BYTES:  # where pages are slow to come by, time ends before memory does
            return BoxFailure(
                Status.MEMORY,
                f"Your code took longer than the {seconds:g} s that one call may take, while its memory grew; "
                "is there a list or a tensor that grows without end?",
            )
        return BoxFailure(
            Status.TIMEOUT,
            f"Your code took longer than the {seconds:g} s that one call may take; is there a loop that never ends?",
        )

    def _ended(self) -> BoxFailure:
        """Say how the box ended; the keeper knows, and what the box wrote before does not count."""
        self.exit_status = self._keeper.exit_of(self.inside, EXIT_SECONDS)
        return ended(self.exit_status)
