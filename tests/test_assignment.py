"""What the engine knows of an assignment: nothing but its name."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from autograder.assignment import assignment_module, load_assignment
from autograder.errors import UsageError


def test_assignment_module_is_found_by_the_assignments_name() -> None:
    """Hyphens are underscores in the package's name."""
    module = assignment_module("consistency-models", "checks.strategies")
    assert module is not None
    assert module.__name__ == "autograder.assignments.consistency_models.checks.strategies"


@pytest.mark.parametrize(("name", "part"), [("consistency-models", "nothing"), ("another", "calibrate")])
def test_a_part_that_an_assignment_lacks_is_none(name: str, part: str) -> None:
    """Every part is optional, and so is the package."""
    assert assignment_module(name, part) is None


def test_a_part_that_fails_to_import_something_else_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """An assignment that imports what is not installed is broken, not without that part."""
    monkeypatch.setitem(sys.modules, "autograder.assignments.consistency_models.training.spread", None)
    monkeypatch.delitem(sys.modules, "autograder.assignments.consistency_models.calibrate", raising=False)
    with pytest.raises(ModuleNotFoundError):
        assignment_module("consistency-models", "calibrate")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"{", "cannot be read as a notebook"),
        (b"[]", "cannot be read as a notebook"),
        (b'{"nbformat": 3, "worksheets": []}', "its format is 3; save it in format 4"),
        (b'{"nbformat": 4, "cells": []}', "has no test cell"),
    ],
)
def test_what_is_no_source_notebook_is_named(tmp_path: Path, content: bytes, says: str) -> None:
    """One sentence says what is wrong with the course's notebook."""
    path = tmp_path / "source" / "fit" / "fit.ipynb"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    with pytest.raises(UsageError, match=says):
        load_assignment(tmp_path)
