"""How a known mistake of the sampler is written down: by what the judge saw of a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograder.assignments.consistency_models.sampling import Jump, Sampled
from autograder.checking import Known, Misconception


def mistake(id: str, aspect: str, says: str, asks: str, seen: Callable[[Sampled], bool]) -> Known:
    """Return a mistake that is looked for on one side of a run: levels, start, noise, result or again."""

    def behaves(got: Any, aspect: str, _own: str = aspect) -> bool:
        return aspect == _own and isinstance(got, Sampled) and seen(got)

    return Known(Misconception(id, says, asks), behaves)


def pairs(run: Sampled) -> list[tuple[Jump, Jump]]:
    """Return each jump with the one after it."""
    return list(zip(run.jumps[:-1], run.jumps[1:], strict=True))
