"""Measures what a box has taken of its time."""

import time
from collections.abc import Callable, Sequence

from autograder.box.failures import SLACK
from autograder.sandbox import procfs

POLL_SECONDS = 0.05  # how often memory is looked at: a box that fills pages at 5 GB/s overshoots by 250 MB


class Stopwatch:
    """Time that the box could have used: waiting for a processor that others hold does not count, up to a point.

    `waiting` are the box and the judge, for whose answers the box waits in turn.
    """

    def __init__(self, waiting: Sequence[procfs.Waiting], threads: Callable[[], int]) -> None:
        self._waiting = waiting
        self._count = threads
        self._started = time.monotonic()
        self._waited = [each.seconds() for each in waiting]  # now: who asks at the end must see all of the waiting
        self._threads = 1

    def seconds(self) -> float:
        """Return the time since the start that counts; at least a third of the wall time."""
        wall = time.monotonic() - self._started
        if wall < POLL_SECONDS:
            return wall
        both = zip(self._waiting, self._waited, strict=True)
        waited = sum(max(0.0, each.seconds() - before) for each, before in both)  # of a process that is gone: nothing
        # A box with n busy threads waits for its own ones: no more than a share of its waiting is others' doing.
        self._threads = max(self._threads, self._count())
        return max(wall - waited / self._threads, wall / SLACK)

    def forget(self, seconds: float) -> None:
        """Leave out time that the judge itself took."""
        self._started += seconds
