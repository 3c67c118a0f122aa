"""Keeps a judge and its boxes on one processor while a submission is marked.

Judge and box take turns: while one computes, the other waits. On two processors each turn would wake a sleeping one,
whose caches hold nothing of the message. Which processor it is, the system has decided by where the judge runs, anew
for each submission: so other work, and other judges, are made way for. A box goes where its judge is
(sandbox/keeper.py).
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from autograder.box.limits import LINUX, run_on

PROCESSOR = 36  # of the fields that follow the name of a process in /proc's `stat`


def allowed() -> list[int]:
    """Return the processors that this thread may run on; empty where the system does not tell."""
    with contextlib.suppress(OSError):
        return sorted(os.sched_getaffinity(0)) if LINUX else []
    return []


@contextlib.contextmanager
def only_one() -> Iterator[None]:
    """Stay on the processor that this thread is on."""
    before = allowed()
    run_on(_here())
    try:
        yield
    finally:
        run_on(before)


def _here() -> list[int]:
    with contextlib.suppress(OSError, IndexError, ValueError):
        return [int(Path("/proc/thread-self/stat").read_text().rpartition(")")[2].split()[PROCESSOR])]
    return []
