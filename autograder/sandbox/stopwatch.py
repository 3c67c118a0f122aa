"""Measures what a box has taken of its time."""

import time

from autograder.box.failures import SLACK
from autograder.sandbox import procfs

POLL_SECONDS = 0.05  # how often memory is looked at: a box that fills pages at 5 GB/s overshoots by 250 MB


class Stopwatch:
    """Time that the box could have used: waiting for a processor that others hold does not count, up to a point."""

    def __init__(self, waiting: procfs.Waiting, keeper: int) -> None:
        self._waiting = waiting
        self._keeper = keeper
        self._started = time.monotonic()
        self._waited = waiting.seconds()  # now: who asks only at the end must see all of the waiting
        self._threads = 1

    def seconds(self) -> float:
        """Return the time since the start that counts; at least a third of the wall time."""
        wall = time.monotonic() - self._started
        if wall < POLL_SECONDS:
            return wall
        waited = max(0.0, self._waiting.seconds() - self._waited)  # of a process that is gone: nothing
        # A box with n busy threads waits for its own ones: no more than a share of its waiting is others' doing.
        self._threads = max(self._threads, procfs.thread_count(list(procfs.descendants(self._keeper))))
        return max(wall - waited / self._threads, wall / SLACK)

    def forget(self, seconds: float) -> None:
        """Leave out time that the judge itself took."""
        self._started += seconds
