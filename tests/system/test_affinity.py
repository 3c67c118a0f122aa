"""A judge and its boxes stay on one processor while a submission is marked."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from autograder.box.limits import run_on
from autograder.errors import GraderFault
from autograder.judge import judge
from autograder.judge.judge import Judge
from autograder.settings import Settings
from autograder.system import affinity
from tests.boxes import Bench, needs_bubblewrap
from tests.notebooks import COURSE, FILE, NAME, assignment

MANY = hasattr(os, "sched_getaffinity") and len(os.sched_getaffinity(0)) > 1
pytestmark = [
    *needs_bubblewrap,
    pytest.mark.skipif(not MANY, reason="there is one processor, or the system does not tell"),
]
WHERE = "print(json.dumps(sorted(os.sched_getaffinity(0))))"


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    """A keeper that may use all processors."""
    bench = Bench()
    yield bench
    bench.stop()


def test_stays_on_one_and_then_may_use_all_again() -> None:
    """The one is among those that were allowed before."""
    before = affinity.allowed()
    with affinity.only_one():
        assert len(affinity.allowed()) == 1
        assert set(affinity.allowed()) < set(before)
    assert affinity.allowed() == before


def test_all_are_allowed_again_after_an_exception() -> None:
    """A fault in a marking leaves nothing behind."""
    before = affinity.allowed()
    with pytest.raises(ValueError, match="no"), affinity.only_one():
        raise ValueError("no")
    assert affinity.allowed() == before


def test_no_other_than_the_allowed_one_is_taken() -> None:
    """Who runs `taskset` gets what it says."""
    before = affinity.allowed()
    try:
        run_on(before[-1:])
        with affinity.only_one():
            assert affinity.allowed() == before[-1:]
        assert affinity.allowed() == before[-1:]
    finally:
        run_on(before)


def test_a_box_is_where_its_judge_is(bench: Bench) -> None:
    """Each box anew: the keeper of one marking serves the next, which may be on another processor."""
    before = affinity.allowed()
    for one in before[:2]:
        try:
            run_on([one])
            assert bench.run(WHERE).seen == [one]
        finally:
            run_on(before)
    assert bench.run(WHERE).seen == before


def test_a_marking_stays_on_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """All checks of a submission, and no longer."""
    seen: list[int] = []
    monkeypatch.setattr(judge, "run_checks", lambda *_: seen.append(len(affinity.allowed())))
    before = affinity.allowed()
    with Judge(assignment(), Settings()) as marking, pytest.raises(GraderFault, match="no check"):
        marking.mark(COURSE / "release" / NAME / FILE, "anna")
    assert seen == [1]
    assert affinity.allowed() == before
