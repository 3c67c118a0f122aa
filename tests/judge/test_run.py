"""What a marking gives its checks, beside what pytest makes of them (test_pytest_plugin.py)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autograder.judge import run
from tests.notebooks import assignment


def test_an_assignment_may_prepare_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its boxes have no given models, and nothing is computed ahead."""
    monkeypatch.setattr(run, "assignment_module", lambda name, part: None)
    found = run.prepared(assignment())
    found.complete()
    assert found.givens == {}


def test_what_an_assignment_prepares_is_the_same_for_each_submission() -> None:
    """A judge that is opened anew in a worker finds it as it was."""
    assert run.prepared(assignment()) is run.prepared(assignment())


def test_a_notebook_without_the_trained_tasks_has_no_model_prepared() -> None:
    """Nor is anything trained for it."""
    small = replace(assignment(), tasks=assignment().tasks[:1])
    found = run.prepared(small)
    found.complete()
    assert found.givens == {}
    assert "run" not in vars(found)
