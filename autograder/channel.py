"""The judge's end of one box: asks, waits within limits, and says what went wrong.

Every wait goes through `Box._wait`: it drains the box's print-outs, hears from the keeper when the box has ended, and
watches clock and memory. So a box that is silent, slow, greedy, talkative or gone always ends as a `BoxFailure`.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import select
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from autograder import processes
from autograder.verdict import Status
from autograder.wire import WireError, encode, read_frame

if TYPE_CHECKING:
    from autograder.sandbox import Keeper

POLL_SECONDS = 0.05  # how often memory is looked at: a box that fills pages at 5 GB/s overshoots by 250 MB
SLACK = 3.0  # on a loaded machine a box may take this many times its limit of wall time, never more
SILENCE_BYTES = 1 << 20  # a time-out after this much output is called a flood


class BoxFailure(Exception):
    """The box did not answer: `status` says why, the text is for the student."""

    def __init__(self, status: Status, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class KeeperLost(Exception):
    """The keeper itself ended or fell silent; the submission is tried once more with a fresh one."""


@dataclass
class Output:
    """What the box printed: the first bytes are kept for staff, the rest is only counted."""

    limit_bytes: int
    kept: bytearray
    total_bytes: int = 0

    def take(self, chunk: bytes) -> None:
        """Keep what still fits."""
        self.total_bytes += len(chunk)
        self.kept += chunk[: max(0, self.limit_bytes - len(self.kept))]


class Stopwatch:
    """Time that the box could have used: waiting for a processor that others hold does not count, up to a point."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._started = time.monotonic()
        self._waited: float | None = None  # read late: most calls end before it matters

    def seconds(self) -> float:
        """Return the time since the start that counts; at least a third of the wall time."""
        wall = time.monotonic() - self._started
        if wall < POLL_SECONDS:
            return wall
        waited = processes.waiting_seconds(self._pid)
        if self._waited is None:
            self._waited = waited
        return max(wall - (waited - self._waited), wall / SLACK)


class Box:
    """One box, from fork to end. Use as a context manager: leaving it kills whatever the box has started."""

    def __init__(self, keeper: Keeper, sock: socket.socket, output: int, kept_bytes: int) -> None:
        self._keeper = keeper
        self._sock = sock
        self._sock.setblocking(False)
        self._output_descriptor = output
        os.set_blocking(output, False)
        self.output = Output(kept_bytes, bytearray())
        self.exit_status: int | None = None
        self.pid = keeper.box_pid()
        self.suspicions: list[str] = []

    def __enter__(self) -> Box:
        return self

    def __exit__(self, *_: object) -> None:
        self._sock.close()
        try:
            self._keeper.end_box()
        finally:
            with contextlib.suppress(OSError):
                self._drain()
            os.close(self._output_descriptor)

    def request(self, message: dict[str, Any], seconds: float, answer: Callable[[Any], Any] | None = None) -> Any:
        """Send one request and return its reply, answering the questions that probes ask in between.

        Raises BoxFailure, or KeeperLost.
        """
        number = secrets.randbits(62)
        clock = Stopwatch(self.pid)
        self._send({**message, "id": number}, clock, seconds)
        while True:
            try:
                frame = read_frame(lambda count: self._receive(count, clock, seconds))
                if frame["id"] != number:
                    raise WireError("a reply to a question that was not asked")
                if "reply" in frame:
                    return frame["reply"]
                question = frame["question"]
            except (WireError, KeyError, TypeError) as error:
                self.suspicions.append(f"spoke out of turn on the grader's channel: {error}")
                raise BoxFailure(
                    Status.CRASH,
                    "Your code wrote to a file descriptor that it did not open, and the connection to it broke; "
                    "leave descriptors that you did not open alone.",
                ) from None
            reply = answer(question) if answer is not None else None
            self._send({"id": number, "answer": reply}, clock, seconds)

    def _send(self, message: dict[str, Any], clock: Stopwatch, seconds: float) -> None:
        data = memoryview(encode(message))
        while data:
            self._wait(select.POLLOUT, clock, seconds)
            try:
                data = data[self._sock.send(data[: 1 << 20]) :]
            except BlockingIOError:
                continue
            except OSError:
                raise self._ended() from None

    def _receive(self, count: int, clock: Stopwatch, seconds: float) -> bytearray:
        data = bytearray()
        while len(data) < count:
            self._wait(select.POLLIN, clock, seconds)
            try:
                chunk = self._sock.recv(min(count - len(data), 1 << 20))
            except BlockingIOError:
                continue
            except OSError:
                raise self._ended() from None
            if not chunk:
                raise self._ended()
            data += chunk
        return data

    def _wait(self, event: int, clock: Stopwatch, seconds: float) -> None:
        """Return when the socket is ready for the event."""
        poll = select.poll()
        poll.register(self._sock, event)
        poll.register(self._keeper.control, select.POLLIN)
        poll.register(self._output_descriptor, select.POLLIN)
        checked = time.monotonic()
        while True:
            ready = dict(poll.poll(POLL_SECONDS * 1000))
            if self._output_descriptor in ready and not self._drain():
                poll.unregister(self._output_descriptor)
            if self._sock.fileno() in ready:
                return
            if self._keeper.control.fileno() in ready:
                self.exit_status = self._keeper.read_exit()
                if not select.select([self._sock], [], [], 0)[0]:
                    raise self._ended()
                return
            if time.monotonic() - checked >= POLL_SECONDS:
                checked = time.monotonic()
                self._check_memory()
                if clock.seconds() > seconds:
                    raise self._too_slow(seconds)

    def _drain(self) -> bool:
        """Read what the box has printed; False once nothing more can come."""
        for _ in range(64):
            try:
                chunk = os.read(self._output_descriptor, 1 << 16)
            except BlockingIOError:
                return True
            if not chunk:
                return False
            self.output.take(chunk)
        return True

    def _check_memory(self) -> None:
        pids = list(processes.descendants(self._keeper.pid))
        limit = self._keeper.plan.memory_bytes
        if processes.resident_bytes(pids) > limit and processes.proportional_bytes(pids) > limit:
            raise BoxFailure(Status.MEMORY, f"Your code used more than the {limit >> 20} MiB of memory it may have.")

    def _too_slow(self, seconds: float) -> BoxFailure:
        if processes.thread_count(list(processes.descendants(self._keeper.pid))) >= self._keeper.plan.processes - 1:
            return BoxFailure(
                Status.RESOURCE, f"Your code started more than the {self._keeper.plan.processes} processes and threads it may have."
            )
        if self.output.total_bytes > SILENCE_BYTES:
            return BoxFailure(Status.OUTPUT, f"Your code printed without end and took longer than {seconds:g} s.")
        return BoxFailure(
            Status.TIMEOUT,
            f"Your code took longer than the {seconds:g} s that one call may take; is there a loop that never ends?",
        )

    def _ended(self) -> BoxFailure:
        """Say how the box ended; the keeper knows, and what the box wrote before does not count."""
        if self.exit_status is None:
            self.exit_status = self._keeper.wait_exit()
        return ended(self.exit_status)


def ended(status: int | None) -> BoxFailure:
    """Return the failure of a box that ended by itself: an exit code, or minus the number of a signal."""
    if status is None:
        return BoxFailure(Status.CRASH, "Your code closed its connection to the grader; leave descriptors you did not open alone.")
    if status == -24:  # SIGXCPU
        return BoxFailure(Status.TIMEOUT, "Your code used up all of the processor time that a submission may take.")
    if status < 0:
        return BoxFailure(
            Status.CRASH,
            f"Your code ended the Python process by signal {-status} ({_signal_name(-status)}) instead of returning a value.",
        )
    return BoxFailure(
        Status.CRASH, f"Your code ended the Python process (exit code {status}) instead of returning a value; remove the exit call."
    )


def _signal_name(number: int) -> str:
    import signal

    try:
        return signal.Signals(number).name
    except ValueError:
        return "unknown"
