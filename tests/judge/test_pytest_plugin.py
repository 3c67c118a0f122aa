"""How pytest's outcomes become verdicts and points."""

from __future__ import annotations

import itertools
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from autograder.assignments.consistency_models.training.quality import Reference
from autograder.judge import pytest_plugin
from autograder.judge.pytest_plugin import Collector, run_checks
from autograder.verdict import Status
from tests import notebooks

NUMBERS = itertools.count()
HEAD = "from fractions import Fraction\nfrom autograder.checking import points\nfrom autograder.verdict import *\n"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that runs a file of checks and returns the collector."""
    monkeypatch.setattr(pytest_plugin, "CHECKS", tmp_path)

    @contextmanager
    def nobody(task: str) -> Any:
        yield None

    def run_source(source: str, seed: str = "seed", task: str = "") -> Collector:
        task = task or f"thing_{next(NUMBERS)}"  # pytest imports a file of one name once in a process
        (tmp_path / f"test_{task}.py").write_text(HEAD + source)
        collector = Collector(nobody, seed, Reference(notebooks.assignment()))
        run_checks(collector, [task])
        if task in collector.outcomes:
            collector.outcomes["thing"] = collector.outcomes.pop(task)
        return collector

    return run_source


def test_run_checks_reports_a_check_that_returns_as_passed(run: Any) -> None:
    """Id, title and weight come from the check itself."""
    (outcome,) = run("@points(3)\ndef test_one():\n    '''A title.\n\n    More.'''\n").outcomes["thing"]
    assert (outcome.id, outcome.title, outcome.weight, outcome.status) == ("one", "A title.", 3, Status.PASSED)
    assert outcome.earned == 1


def test_run_checks_reports_the_status_that_a_check_raises(run: Any) -> None:
    """CheckFailed carries status, text, misconception and what is earned all the same."""
    source = "@points(1)\ndef test_one():\n    raise CheckFailed(Status.MEMORY, 'text', 'name', Fraction(1, 2))\n"
    (outcome,) = run(source).outcomes["thing"]
    assert (outcome.status, outcome.message, outcome.misconception) == (Status.MEMORY, "text", "name")
    assert outcome.earned == Fraction(1, 2)


def test_run_checks_calls_any_other_exception_the_graders_fault(run: Any) -> None:
    """A check that breaks costs no points and tells staff why."""
    (outcome,) = run("@points(1)\ndef test_one():\n    1 / 0\n").outcomes["thing"]
    assert outcome.status is Status.GRADER_ERROR
    assert "ZeroDivisionError" in outcome.fault
    assert "ZeroDivisionError" not in outcome.message


def test_run_checks_takes_a_plain_assert_for_a_wrong_value(run: Any) -> None:
    """An instructor may write a check with a bare assert and a sentence."""
    (outcome,) = run("@points(1)\ndef test_one():\n    assert 1 == 2, 'a sentence'\n").outcomes["thing"]
    assert (outcome.status, outcome.message) == (Status.WRONG, "a sentence")


def test_run_checks_says_so_when_a_file_cannot_be_imported(run: Any) -> None:
    """A broken check file is a fault of the grader, not a task without checks."""
    collector = run("import no_such_module\n")
    assert "no_such_module" in collector.broken[0]


def test_run_checks_ignores_options_of_the_environment(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """PYTEST_ADDOPTS cannot deselect a check."""
    monkeypatch.setenv("PYTEST_ADDOPTS", "-k nothing")
    assert run("@points(1)\ndef test_one():\n    '''T.'''\n").outcomes["thing"]


def test_hypothesis_draws_depend_on_the_seed_alone(run: Any) -> None:
    """The same submission meets the same inputs, another submission others."""
    source = (
        "from autograder.assignments.consistency_models.checks.strategies import each_seed\n"
        "@points(1)\n@each_seed(3)\ndef test_one(student, seed):\n    '''T.'''\n    SEEN.append(seed)\nSEEN = []\n"
        "@points(1)\ndef test_two():\n    '''T.'''\n    seen = str(SEEN)\n    SEEN.clear()\n    raise wrong(seen)\n"
    )
    first, again, other = (run(source, seed, "draws").outcomes["thing"][1].message for seed in ("a", "a", "b"))
    assert first == again
    assert first != other


def test_held_needs_every_value_check(run: Any) -> None:
    """A function is right when all of its value checks passed, whatever became of the others."""
    passing = (
        "@points(1, value=True)\ndef test_one():\n    '''T.'''\n@points(1)\ndef test_two():\n    raise wrong('x')\n"
    )
    assert run(passing).held("thing")
    assert not run(passing.replace("'''T.'''", "raise wrong('x')")).held("thing")
    assert not run("").held("thing")


def test_charged_is_who_failed_a_check_beside_the_value(run: Any) -> None:
    """A wrong value alone says nothing of what a function does by the way."""
    value, other = "@points(1, value=True)\ndef test_one():\n    ", "@points(1)\ndef test_two():\n    "
    failed, passed = "raise wrong('x')\n", "pass\n"
    assert run(value + passed + other + failed).charged("thing")
    assert not run(value + failed + other + passed).charged("thing")
    assert not run("").charged("thing")
