"""Describes an exception of the student's code in a form that crosses the wire.

The text of an exception may hold anything, the judge's inputs included; the judge decides what of it a student reads.
"""

from __future__ import annotations

import builtins
import contextlib
import errno
import re
import signal
import socket
import time
from collections.abc import Iterator
from types import FrameType
from typing import Any

MAX_TEXT = 400
SLACK = 3.0  # on a loaded machine a cell may take this many times its limit of wall time, never more
SHORTEST_SECONDS = 0.01
REFUSED = {errno.EPERM, errno.EACCES, errno.EROFS, errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN}
REFUSED |= {errno.ECONNREFUSED, errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT, errno.EADDRNOTAVAIL, errno.ENOSYS}
EXHAUSTED = {errno.EAGAIN, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EMFILE, errno.ENFILE, errno.EMLINK}
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

        The judge counts in the same way (`channel.Stopwatch`) and does not rely on this.
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


def describe_failure(error: BaseException) -> dict[str, Any]:
    """Return kind, type, text and the place in the student's notebook of an exception."""
    cell, line = _place(error)
    failure: dict[str, Any] = {
        "kind": _kind(error),
        "type": _public_type(error),
        "text": _text(error),
        "cell": cell,
        "line": line,
        "column": None,
    }
    if isinstance(error, SyntaxError) and (match := CELL_NAME.fullmatch(str(error.filename))):
        failure.update(cell=int(match[1]), line=error.lineno, column=error.offset)
    return failure


def _kind(error: BaseException) -> str:
    for link in _chain(error):
        if isinstance(link, NotImplementedError):
            return "not_attempted"
        if isinstance(link, CellTooSlow):
            return "timeout"
        if isinstance(link, MemoryError) or _out_of_memory(link):
            return "memory"
        if isinstance(link, OSError | RuntimeError) and _exhausted(link):
            return "resource"
        if isinstance(link, socket.gaierror) or (isinstance(link, OSError) and link.errno in REFUSED):
            return "blocked"
    return "syntax" if isinstance(error, SyntaxError) and CELL_NAME.fullmatch(str(error.filename)) else "runtime"


def _out_of_memory(error: BaseException) -> bool:
    return getattr(error, "errno", None) == errno.ENOMEM or "can't allocate memory" in _text(error)


def _exhausted(error: BaseException) -> bool:
    return getattr(error, "errno", None) in EXHAUSTED or "can't start new thread" in _text(error)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Walk from an exception to its causes; urllib keeps the cause in `reason`."""
    link: BaseException | None = error
    for _ in range(10):
        if link is None:
            return
        yield link
        reason = getattr(link, "reason", None)
        link = reason if isinstance(reason, BaseException) else link.__cause__ or link.__context__


def _public_type(error: BaseException) -> str:
    """Return the name of the nearest built-in class: a name of the student's own could carry anything."""
    for base in type(error).__mro__:
        if getattr(builtins, base.__name__, None) is base:
            return str(base.__name__)
    return "CellTooSlow" if isinstance(error, CellTooSlow) else "BaseException"


def _text(error: BaseException) -> str:
    try:
        return str(error)[:MAX_TEXT]
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
