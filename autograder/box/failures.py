"""Describes an exception of the student's code in a form that crosses the wire.

The text of an exception may hold anything, the judge's inputs included; the judge decides what of it a student reads.
"""

import builtins
import contextlib
import errno
import mmap
import re
import signal
import socket
import time
import traceback
from collections.abc import Iterator
from types import FrameType
from typing import Any

from autograder.box.messages import MAX_TEXT, Failure

SLACK = 3.0  # on a loaded machine a cell may take this many times its limit of wall time, never more
SHORTEST_SECONDS = 0.01
REFUSED = {errno.EPERM, errno.EACCES, errno.EROFS, errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN}
REFUSED |= {errno.ECONNREFUSED, errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT, errno.EADDRNOTAVAIL, errno.ENOSYS}
EXHAUSTED = {errno.EAGAIN, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EMFILE, errno.ENFILE, errno.EMLINK}
_PUBLIC_TYPES = {id(kind): kind.__name__ for kind in vars(builtins).values() if isinstance(kind, type)}
CELL_NAME = re.compile(r"<cell (\d+)>")


def cell_name(number: int) -> str:
    """Return the file name under which a cell of the student's notebook is compiled."""
    return f"<cell {number}>"


class CellTooSlow(BaseException):
    """Raised inside a cell of the student's own that ran for too long."""

    @staticmethod
    @contextlib.contextmanager
    def after(seconds: float) -> Iterator[None]:
        """Raise in the running cell once it took that long, not counting what it waited for a processor.

        The judge counts in the same way (`sandbox/stopwatch.py`) and does not rely on this.
        """
        started, waited = time.monotonic(), waiting_seconds()

        def interrupt(number: int, frame: FrameType | None) -> None:
            wall = time.monotonic() - started
            left = seconds - max(wall - (waiting_seconds() - waited), wall / SLACK)
            if left <= SHORTEST_SECONDS:
                raise CellTooSlow
            signal.setitimer(signal.ITIMER_REAL, left)

        signal.signal(signal.SIGALRM, interrupt)
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, signal.SIG_DFL)


def waiting_seconds() -> float:
    """Return how long this thread has been ready to run while others ran; 0 where /proc is closed."""
    try:
        with open("/proc/thread-self/schedstat", encoding="ascii") as file:
            return int(file.read().split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0


class Reserve:
    """Memory that is let go before a failure is described, so that there is some to do it with."""

    BYTES = 8 << 20  # an arena of Python's own takes one megabyte at a time

    def __init__(self) -> None:
        self._held: mmap.mmap | None = None
        self.fill()

    def fill(self) -> None:
        """Hold it again, if it can be had; its pages are never touched, so it costs a share of the limit alone."""
        with contextlib.suppress(BaseException):
            self._held = self._held or mmap.mmap(-1, self.BYTES, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)

    def release(self) -> None:
        """Let it go."""
        held, self._held = self._held, None
        if held is not None:
            held.close()


_reserve = Reserve()


def describe_failure(error: BaseException) -> Failure:
    """Return kind, type, text and the place in the student's notebook of an exception.

    The exception is the student's code too: whatever it raises while it is looked at leaves that part empty.
    """
    _reserve.release()
    found: dict[str, Any] = {"kind": "runtime", "type": _public_type(error), "text": _text(error)}
    with contextlib.suppress(BaseException):
        found["cell"], found["line"] = _place(error)
    with contextlib.suppress(BaseException):
        found["kind"] = _kind(error)
    with contextlib.suppress(BaseException):
        if isinstance(error, SyntaxError) and (match := CELL_NAME.fullmatch(str(error.filename))):
            place = {"cell": int(match[1]), "line": error.lineno, "column": error.offset}
            found.update({name: value for name, value in place.items() if type(value) is int})
    if found["kind"] == "memory":
        with contextlib.suppress(BaseException):
            traceback.clear_frames(error.__traceback__)  # what the student's variables hold
    _reserve.fill()
    return Failure(**{name: found[name] for name, holds in Failure.checks if name in found and holds(found[name])})


def _kind(error: BaseException) -> str:
    for link in _chain(error):
        kind = type(link)  # isinstance would ask the object itself for its class
        if issubclass(kind, NotImplementedError):
            return "not_attempted"
        if issubclass(kind, CellTooSlow):
            return "timeout"
        if issubclass(kind, MemoryError) or _is_one_of(link, {errno.ENOMEM}, "can't allocate memory"):
            return "memory"
        if issubclass(kind, OSError | RuntimeError) and _is_one_of(link, EXHAUSTED, "can't start new thread"):
            return "resource"
        if issubclass(kind, socket.gaierror) or (issubclass(kind, OSError) and _is_one_of(link, REFUSED)):
            return "blocked"
        if kind.__name__ == "CalledProcessError":  # a program that met a wall, pip most of all
            return "blocked"
    return "syntax" if isinstance(error, SyntaxError) and CELL_NAME.fullmatch(str(error.filename)) else "runtime"


def _is_one_of(error: BaseException, numbers: set[int], text: str | None = None) -> bool:
    """Say whether an exception has one of these numbers, or this text."""
    number = _attribute(error, "errno")
    return (type(number) is int and number in numbers) or (text is not None and text in _text(error))


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Walk from an exception to its causes; urllib keeps the cause in `reason`."""
    link: BaseException | None = error
    for _ in range(10):
        if link is None:
            return
        yield link
        reason = _attribute(link, "reason")
        if not issubclass(type(reason), BaseException):
            reason = _attribute(link, "__cause__")
            reason = _attribute(link, "__context__") if reason is None else reason
        link = reason


def _attribute(error: BaseException, name: str) -> Any:
    """Return an attribute, None where it is missing or cannot be read."""
    try:
        return getattr(error, name, None)
    except BaseException:  # a property of the student's own
        return None


def _public_type(error: BaseException) -> str:
    """Return the name of the nearest built-in class: a name of the student's own could carry anything."""
    for base in type.__dict__["__mro__"].__get__(type(error)):
        if id(base) in _PUBLIC_TYPES:
            return _PUBLIC_TYPES[id(base)]
    return "CellTooSlow" if type(error) is CellTooSlow else "BaseException"


def _text(error: BaseException) -> str:
    try:
        return str.__getitem__(str(error), slice(MAX_TEXT))  # of a str, whatever class it claims
    except BaseException:  # __str__ is the student's code too
        return ""


def _place(error: BaseException) -> tuple[int | None, int | None]:
    """Return cell and line of the innermost frame that is the student's."""
    found: tuple[int | None, int | None] = (None, None)
    trace = error.__traceback__
    while trace is not None:
        match = CELL_NAME.fullmatch(trace.tb_frame.f_code.co_filename)
        if match:
            found = int(match[1]), trace.tb_lineno
        trace = trace.tb_next
    return found
