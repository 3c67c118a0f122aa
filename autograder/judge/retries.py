"""Runs a task again whose boxes were ended, perhaps from outside, as if it had not run.

A box or its keeper may be killed by somebody else, such as the kernel of a machine that is short of memory. One death
does not tell. What dies twice at the same place, or in three runs, is the submission's crash.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field

from autograder.judge.time_budget import Clock
from autograder.report import Notice
from autograder.verdict import CheckFailed

MOST_RUNS = 3  # of a task whose boxes are ended, each time at another place


@dataclass(frozen=True)
class End:
    """How and where a box came to its end: after how many requests, and by what signal (0: its keeper was lost)."""

    task: str
    requests: int
    signal: int


@dataclass(frozen=True)
class State:
    """What the boxes of a submission have come to, as a whole: where a task runs again, its own is dropped."""

    clock: Clock
    notices: dict[tuple[str, int], Notice] = field(default_factory=dict)
    suspicions: list[str] = field(default_factory=list)
    skipped: dict[int, CheckFailed] = field(default_factory=dict)  # cells that are left out of later runs

    def copy(self) -> State:
        """Return another one that stands where this one does."""
        return State(copy.copy(self.clock), dict(self.notices), list(self.suspicions), dict(self.skipped))


class Retries:
    """Says after each task whether it must run again, and from which state."""

    def __init__(self, state: State, forgiven_seconds: float) -> None:
        self.tasks: list[str] = []  # that ran again
        self._forgiven_seconds = forgiven_seconds  # of lost runs, in all: a submission must end in its time
        self._ends: list[End] = []
        self._begin(state)

    def _begin(self, state: State) -> None:
        self._before, self._runs, self._ends_before = state.copy(), 1, list[End]()

    def note(self, end: End) -> None:
        """Note a box that was ended in a way that could have come from outside."""
        self._ends.append(end)

    def after(self, state: State) -> State | None:
        """Return from where a task that has come to this state runs again; None where it stands."""
        ends, self._ends = self._ends, []
        spent = self._before.clock.rest - state.clock.rest
        if not ends or ends == self._ends_before or self._runs == MOST_RUNS or state.clock.rest < spent:
            self._begin(state)
            return None
        self._runs += 1
        self._ends_before = ends
        self.tasks.append(ends[0].task)
        again = self._before.copy()
        forgiven = min(spent, self._forgiven_seconds)
        self._forgiven_seconds -= forgiven
        again.clock.calls_seconds += spent - forgiven
        return again
