"""Each assertion of the hidden checks, taken away in turn, is missed: some record comes to something else."""

from __future__ import annotations

import ast
import inspect
import sys
import types
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from autograder.assignments.consistency_models import checks
from autograder.verdict import Status
from tests.assignments.consistency_models.test_checks import (  # noqa: F401
    BANK,
    TASKS,
    Check,
    _as_it_was,
    _marker,
    checks_of,
    run,
    student_of,
)
from tests.bank import Record, cells
from tests.notebooks import assignment

Said = list[tuple[Status, str] | None]

# A pair that is wrong in later calls, as is the noisy_sample that it calls: its own mistake shows behind a stand-in.
BOTH_LATER = Record(
    task="consistency_training_pair",
    name="wrong_later_as_is_its_noisy_sample",
    kind="wrong",
    why="takes one level for both in later calls",
    answer="def consistency_training_pair(x_0, epsilon, t_n1, t_n):\n    pairs.append(1)\n"
    "    later = len(pairs) > 100\n"
    "    return noisy_sample(x_0, epsilon, t_n1), noisy_sample(x_0, epsilon, t_n1 if later else t_n)\npairs = []",
    after="def noisy_sample(x_0, epsilon, t):\n    mixtures.append(1)\n"
    "    return torch.lerp(x_0, epsilon, t[:, None] if len(mixtures) < 100 else 1 - t[:, None])\nmixtures = []",
)


def assertions(tree: ast.Module) -> list[tuple[list[ast.stmt], int]]:
    """Return where the statements stand that can fail a check: every `raise`, and every call for its effect."""
    found = []
    for node in ast.walk(tree):
        for name in ("body", "orelse"):
            block = getattr(node, name, None)
            for place, statement in enumerate(block if isinstance(block, list) else []):
                raises = isinstance(statement, ast.Raise) and statement.exc is not None
                calls = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)
                if raises or calls:
                    found.append((block, place))
    return found


def source_of(task: str) -> str:
    """Return the source of a task's checks."""
    return (Path(checks.__file__).parent / f"test_{task}.py").read_text(encoding="utf-8")


def checks_without(task: str, number: int) -> dict[str, Check]:
    """Return a task's checks without one of their assertions."""
    tree = ast.parse(source_of(task))
    block, place = assertions(tree)[number]
    block[place] = ast.copy_location(ast.Pass(), block[place])
    module = sys.modules["mutant"] = types.ModuleType("mutant")
    exec(compile(ast.fix_missing_locations(tree), "mutant", "exec"), vars(module))
    tests = {name.removeprefix("test_"): test for name, test in vars(module).items() if name.startswith("test_")}
    return {name: test for name, test in tests.items() if inspect.isfunction(test)}


def said(tests: dict[str, Check], record: Record) -> Said:
    """Return what checks say of a record."""
    student = student_of([source for _, source in cells(record, assignment())])
    failures = [run(check, student) for check in tests.values()]
    return [failure and (failure.status, failure.message) for failure in failures]


@cache
def said_by_all(task: str, record: Record) -> Said:
    """Return what the checks as they are say of a record."""
    return said(checks_of(task), record)


def is_missed(task: str, number: int) -> bool:
    """Say whether some record comes to something else without that assertion."""
    mutants = checks_without(task, number)
    # Records that fail few checks tell the most, so they come first; then those of functions that an answer may call.
    own = [record for record in [*BANK, BOTH_LATER] if record.task == task]
    called = [record for record in BANK if record.task in assignment().task(task).calls]
    records = [*sorted(own, key=lambda record: len(record.fails) or len(BANK)), *called]
    for record in records:
        try:
            if said(mutants, record) != said_by_all(task, record):
                return True
        except Exception:  # the check fails in another way than by a verdict: noticed too
            return True
    return False


def each_assertion() -> list[Any]:
    """Return task, number and source of each; `make test` takes away the first of each task, but for the sampler.

    Its first one is missed by few of many records, each of which takes a second.
    """
    found = []
    for task in TASKS:
        for number, (block, place) in enumerate(assertions(ast.parse(source_of(task)))):
            quick = number == 0 and task != "sample_consistency_multistep"
            marks = () if quick else (pytest.mark.full, pytest.mark.slow)
            found.append(pytest.param(task, number, ast.unparse(block[place]), id=f"{task}-{number}", marks=marks))
    return found


@pytest.mark.parametrize(("task", "number", "source"), each_assertion())
def test_assertion_is_missed_when_it_is_gone(task: str, number: int, source: str) -> None:
    """No assertion of a check is idle."""
    assert is_missed(task, number), source
