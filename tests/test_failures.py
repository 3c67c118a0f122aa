"""The time that a cell of the student's own may take, inside the box."""

from __future__ import annotations

import itertools
import time

import pytest

from autograder.box import failures
from autograder.box.failures import SLACK, CellTooSlow

LIMIT_SECONDS = 0.05


def seconds_until_cut_short() -> float:
    """Return how long a cell ran that never ends by itself."""
    started = time.monotonic()
    with pytest.raises(CellTooSlow), CellTooSlow.after(LIMIT_SECONDS):
        for _ in itertools.count():
            pass
    return time.monotonic() - started


def test_cell_is_cut_short_at_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cell that had the processor for itself ends at its limit."""
    monkeypatch.setattr(failures, "waiting_seconds", lambda: 0.0)
    assert seconds_until_cut_short() >= LIMIT_SECONDS


def test_cell_is_not_charged_for_waiting_but_ends_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cell that only waited for a processor gets three times its limit, and no more than that."""
    monkeypatch.setattr(failures, "waiting_seconds", time.monotonic)
    assert seconds_until_cut_short() >= SLACK * LIMIT_SECONDS - failures.SHORTEST_SECONDS * SLACK


def test_waiting_is_told_for_this_thread() -> None:
    """The kernel's count of waiting never falls."""
    first = failures.waiting_seconds()
    assert 0.0 <= first <= failures.waiting_seconds()
