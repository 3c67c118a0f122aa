"""How pytest's outcomes become verdicts and points."""

from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from autograder.assignment import Task
from autograder.course import AssignmentFolders
from autograder.errors import GraderFault
from autograder.judge.pytest_plugin import run_checks
from autograder.judge.run import Run
from autograder.verdict import Status
from tests import notebooks
from tests.trainings import Only

NUMBERS = itertools.count()
THING = Task("thing", "A thing", 6, False, None)
HEAD = "from fractions import Fraction\nfrom autograder.checking import points\nfrom autograder.verdict import *\n"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that runs a file of checks and returns the run."""
    folder = tmp_path / "checks"
    folder.mkdir()
    monkeypatch.setattr(AssignmentFolders, "checks", folder)

    def run_source(source: str, seed: str = "seed", task: str = "", students: Any = None) -> Run:
        task = task or f"thing_{next(NUMBERS)}"  # pytest imports a file of one name once in a process
        (folder / f"test_{task}.py").write_text(HEAD + source)
        run = Run(notebooks.assignment(), students or Only(None), seed)
        run_checks(run, [task])
        if task in run.outcomes:
            run.outcomes["thing"] = run.outcomes.pop(task)
        return run

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
    found = run("import no_such_module\n")
    assert "no_such_module" in found.broken[0]
    with pytest.raises(GraderFault, match="no_such_module"):
        found.result(THING)


def test_run_checks_ignores_options_of_the_environment(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """PYTEST_ADDOPTS cannot deselect a check."""
    monkeypatch.setenv("PYTEST_ADDOPTS", "-k nothing")
    assert run("@points(1)\ndef test_one():\n    '''T.'''\n").outcomes["thing"]


def test_hypothesis_draws_depend_on_the_seed_alone(run: Any) -> None:
    """The same submission meets the same inputs, another submission others."""
    source = (
        "from autograder.checking.inputs import each_seed\n"
        "@points(1)\n@each_seed(3)\ndef test_one(student, seed):\n    '''T.'''\n    SEEN.append(seed)\nSEEN = []\n"
        "@points(1)\ndef test_two():\n    '''T.'''\n    seen = str(SEEN)\n    SEEN.clear()\n    raise wrong(seen)\n"
    )
    first, again, other = (run(source, seed, "draws").outcomes["thing"][1].message for seed in ("a", "a", "b"))
    assert first == again
    assert first != other


def test_passed_needs_every_value_check(run: Any) -> None:
    """A function is right when all of its value checks passed, whatever became of the others."""
    passing = (
        "@points(1, value=True)\ndef test_one():\n    '''T.'''\n@points(1)\ndef test_two():\n    raise wrong('x')\n"
    )
    assert run(passing).passed("thing")
    assert not run(passing.replace("'''T.'''", "raise wrong('x')")).passed("thing")
    assert not run("").passed("thing")


def test_at_fault_is_who_failed_a_check_beside_the_value(run: Any) -> None:
    """A wrong value alone says nothing of what a function does by the way."""
    value, other = "@points(1, value=True)\ndef test_one():\n    ", "@points(1)\ndef test_two():\n    "
    failed, passed = "raise wrong('x')\n", "pass\n"
    assert run(value + passed + other + failed).at_fault("thing")
    assert not run(value + failed + other + passed).at_fault("thing")
    assert not run("").at_fault("thing")


def test_result_gives_each_check_its_share(run: Any) -> None:
    """The weights of a task's checks add up to its points, whatever they are."""
    found = run("@points(1)\ndef test_one():\n    pass\n@points(2)\ndef test_two():\n    raise wrong('x')\n").result(
        THING
    )
    assert [check.share for check in found.checks] == [Fraction(1, 3), Fraction(2, 3)]
    assert (found.title, found.score) == ("A thing", 2)


def test_result_of_a_task_without_checks_is_the_graders_fault(run: Any) -> None:
    """It is no zero."""
    with pytest.raises(GraderFault, match="no check of thing was run"):
        run("def test_one():\n    pass\n").result(THING)


def test_a_conftest_beside_the_checks_is_read_and_none_above_them(run: Any, tmp_path: Path) -> None:
    """The folders above may be anybody's."""
    fixture = "import pytest\n@pytest.fixture\ndef number():\n    return 7\n"
    (tmp_path / "checks" / "conftest.py").write_text(fixture)
    (tmp_path / "conftest.py").write_text("raise ValueError\n")
    (outcome,) = run("@points(1)\ndef test_one(number):\n    assert number == 7\n").outcomes["thing"]
    assert outcome.status is Status.PASSED


class Twice(Only):
    """A student whose checks have to run once more."""

    again = True

    def run_again(self) -> bool:
        again, self.again = self.again, False
        return again


ONCE = """
def made():
    MADE.append(1)
    if len(MADE) == 1:
        raise wrong('the first')
    return len(MADE)
MADE = []
@points(1)
def test_one(run):
    run.once('it', made)
@points(1)
def test_two(run):
    run.once('it', made)
"""


def test_what_failed_to_be_made_is_made_anew_only_where_a_task_runs_again(run: Any) -> None:
    """Two checks share what is made, a failure too; what may have failed from outside is tried once more."""
    once, twice = run(ONCE), run(ONCE, students=Twice(None))
    assert [outcome.message for outcome in once.outcomes["thing"]] == ["the first", "the first"]
    assert once.made("it") is None
    assert [outcome.status for outcome in twice.outcomes["thing"]] == [Status.PASSED, Status.PASSED]
    assert twice.made("it") == 2
