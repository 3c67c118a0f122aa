"""The bank of recorded answers, tests/submissions/, as tests read it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from autograder.grading import recorded_answers
from autograder.grading.recorded_answers import Record, cells
from tests.notebooks import assignment

__all__ = ["Record", "cells", "load_bank", "one_of_each"]


def load_bank() -> list[Record]:
    """Return all records of this repository."""
    return recorded_answers.load_bank(assignment())


def outcome(record: Record) -> object:
    """Return what a record is an example of: a way in which a task can come off."""
    return record.task, record.kind, record.misconception, record.loses, record.quality


def one_of_each(records: Iterable[Record], way: Callable[[Record], object] = outcome) -> list[Any]:
    """Return all records as parameters of a test; `make test` runs the first of each way alone."""
    seen, found = set(), []
    for record in records:
        found.append(pytest.param(record, id=record.id, marks=pytest.mark.full if way(record) in seen else ()))
        seen.add(way(record))
    return found
