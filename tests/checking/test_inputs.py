"""Seeds that Hypothesis draws, and checks that run for each of them."""

from __future__ import annotations

from typing import Any

import hypothesis
import pytest

from autograder.checking import CheckFailed, inputs, wrong

NOBODY: Any = None  # a student whom no check here asks


def run(check: Any, seed: int) -> None:
    """Run a check as the judge does, with the inputs of a seed."""
    hypothesis.seed(seed)(check)
    check(NOBODY)


def test_answer_that_fails_once_is_no_flaky_check() -> None:
    """An answer that is wrong in one call only fails the check: Hypothesis's replay finds the same failure."""
    calls: list[int] = []

    @inputs.each_seed(3)
    def check(student: Any, seed: int) -> None:
        calls.append(seed)
        if len(calls) == 2:
            raise wrong("only once")

    with pytest.raises(CheckFailed, match="only once"):
        run(check, 11)
    assert 0 not in calls


def test_failure_of_one_submission_is_no_failure_of_the_next() -> None:
    """A check keeps nothing of the submission that it ran on before."""
    fails = [True]

    @inputs.each_seed(2)
    def check(student: Any, seed: int) -> None:
        if fails[0]:
            raise wrong("the first one's")

    with pytest.raises(CheckFailed, match="the first one's"):
        run(check, 1)
    fails[0] = False
    run(check, 1)


def test_fault_of_the_check_itself_is_raised_as_it_is() -> None:
    """Staff read what went wrong in a check, not what Hypothesis makes of it."""

    @inputs.each_seed(2)
    def check(student: Any, seed: int) -> None:
        raise KeyError("a slip in the check")

    with pytest.raises(KeyError, match="a slip in the check"):
        run(check, 1)


def test_seeds_do_not_depend_on_what_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is drawn from Hypothesis's pool of constants, and one seed gives the same examples again."""
    from hypothesis.internal.conjecture import providers

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a constant was drawn")

    monkeypatch.setattr(providers.HypothesisProvider, "_maybe_draw_constant", refuse)
    found: list[int] = []

    @inputs.each_seed(5)
    def check(student: Any, seed: int) -> None:
        found.append(seed)

    drawn = []
    for _ in range(2):
        found.clear()
        run(check, 3)
        drawn.append(list(found))
    assert drawn[0] == drawn[1]
    assert len(set(drawn[0])) == 5
