"""Real keepers and boxes for tests: run a piece of code in a box of its own, and see what came of it."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from autograder.box.messages import CallFunction, ProbeModel, RunCell
from autograder.sandbox.box import Answering, Box
from autograder.sandbox.box_failure import BoxFailure
from autograder.sandbox.bubblewrap import python_folders
from autograder.sandbox.keeper import Keeper, Plan
from autograder.verdict import Status

COURSE = Path(__file__).resolve().parent.parent
MIB = 1 << 20
needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="namespaces and seccomp are Linux's")
needs_bubblewrap = [
    pytest.mark.bubblewrap,
    needs_linux,
    pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed"),
]

# What a box's code may use in these tests: a system call by number where libc has no function for it.
HELP = """
import ctypes, errno, json, os, sys
libc = ctypes.CDLL(None, use_errno=True)
def check(result):
    if result == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
def syscall(x86_64, aarch64, *arguments):
    number = {"x86_64": x86_64, "aarch64": aarch64}[os.uname().machine]
    return check(libc.syscall(number, *(ctypes.c_void_p(a) if type(a) is int else a for a in arguments)))
"""

# Where this Python lies in /tmp itself, a box sees the folder above it there.
MOUNTED = sorted({path.parts[2] for path in python_folders() if path.is_relative_to("/tmp")})


@dataclass
class Ran:
    """What came of a cell: `kind` as the box describes an exception (None: it ran through), or the box's failure."""

    kind: str | None
    text: str
    status: Status | None
    output: str
    output_bytes: int

    @property
    def seen(self) -> Any:
        """What the cell printed, as JSON."""
        return json.loads(self.output)


class Bench:
    """Runs code in fresh boxes of one keeper, as a judge would."""

    def __init__(self, copies: bool = False, **plan: Any) -> None:
        self.copies = copies  # the code runs in a copy of a box, as an answer's does
        self.plan = Plan(**{"isolation": "namespaces", "course": COURSE, "prelude": (), **plan})
        self.keeper = Keeper(self.plan).start()

    def box(self) -> Box:
        """Open a box, in a new keeper if need be."""
        if not self.keeper.usable:
            self.keeper.stop()
            self.keeper = Keeper(self.plan).start()
        return self.keeper.open_box()

    @contextmanager
    def asked(self) -> Iterator[Box]:
        """Open a box, or a copy of one, which reads to its end what was printed."""
        copy = None
        with self.box() as box:
            if self.copies:
                copy = box.copy()
            yield copy or box
            if copy is not None:
                copy.end()
        if copy is not None:
            copy.close()

    def run(self, source: str, seconds: float = 10.0) -> Ran:
        """Run a cell in a fresh box; the judge's own limit is what cuts it."""
        with self.asked() as box:
            kind, text, status = None, "", None
            try:
                failure = box.request(cell(HELP + source, 100.0), seconds).failure
                if failure is not None:
                    kind, text = failure.kind, failure.text
            except BoxFailure as failed:
                status, text = failed.status, failed.message
        return Ran(kind, text, status, box.output.kept.decode("utf-8", "replace"), box.output.total_bytes)

    def call(self, source: str, seconds: float = 10.0, answer: Answering | None = None) -> tuple[Any, Box]:
        """Run a cell and call its function f with a probe; return the reply (or the failure) and the box."""
        with self.asked() as box:
            box.request(cell(HELP + SPEAK + source, 10.0), 10.0)
            probe = ProbeModel(0, ["x", "t"], "a question of x and t")
            try:
                return box.request(CallFunction("f", [probe], {}, generators=True), seconds, answer), box
            except BoxFailure as failed:
                return failed, box

    def stop(self) -> None:
        """End the keeper."""
        self.keeper.stop()


# How hostile code gets at the channel and the number of the request: it shares the process with both.
SPEAK = """
import socket
from autograder.box.messages import Answer, Done, Frame, ProbeQuestion, Reply
from autograder.box.wire import encode
channel = socket.socket(fileno=3)
def number():
    frame = sys._getframe()
    while "current" not in frame.f_locals:
        frame = frame.f_back
    return frame.f_locals["current"]
"""


def cell(source: str, seconds: float) -> RunCell:
    """Return the request that runs a cell."""
    return RunCell(1, source.encode(), seconds)


def crowd() -> float:
    """Return by how much longer than on a quiet machine something may take: how many want each processor."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def descriptors() -> int:
    """Return how many files this process has open."""
    return len(os.listdir("/proc/self/fd"))
