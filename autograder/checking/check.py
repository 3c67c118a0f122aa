"""What makes a test a hidden check: its points, and the seed of its inputs."""

import hashlib
from collections.abc import Callable
from typing import Any, TypeVar

import pytest

Test = TypeVar("Test", bound=Callable[..., Any])


def points(weight: float, value: bool = False) -> Callable[[Test], Test]:
    """Make a test a check that has `weight` among the checks of its task.

    `value` marks a check that decides whether the function is right. Tasks that build on the function ask for this.
    """
    return pytest.mark.points(weight, value=value)


def seed_of(submission_sha256: str, task: str, check: str) -> int:
    """Return the seed from which a check draws its inputs for a submission."""
    digest = hashlib.sha256(f"{submission_sha256}:test_{task}.py::test_{check}".encode()).digest()
    return int.from_bytes(digest[:8], "big")
