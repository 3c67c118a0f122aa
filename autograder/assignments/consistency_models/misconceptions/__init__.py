"""Known mistakes, recognised by what the code does on the judge's inputs, never by how it is written.

Each has a name, a sentence on what the code seems to do and a question that leads on. Each is the mistake of a
recorded answer in tests/submissions/, so that every hint has been seen to fire.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor

from autograder.assignments.consistency_models.misconceptions import (
    averages,
    jumps,
    losses,
    noises,
    pairs,
    points,
    steps,
)
from autograder.assignments.consistency_models.misconceptions.known import (
    LOW_PRECISION,
    OWN_RANDOMNESS,
    Known,
    Misconception,
)

__all__ = ["ALL", "LOW_PRECISION", "OWN_RANDOMNESS", "Misconception", "match"]

KNOWN: dict[str, tuple[Known, ...]] = {
    "noisy_sample": points.KNOWN,
    "teacher_ode_step": steps.KNOWN,
    "consistency_distillation_loss": losses.KNOWN,
    "ema_update": averages.KNOWN,
    "sample_consistency_multistep": (*jumps.KNOWN, *noises.KNOWN),
    "consistency_training_pair": pairs.KNOWN,
}

ALL: dict[tuple[str, str], Misconception] = {
    (task, known.misconception.id): known.misconception for task, entries in KNOWN.items() for known in entries
}


def match(task: str, got: Any, **inputs: Any) -> Misconception | None:
    """Return the first known mistake of a task that gives what was got on these inputs, or None.

    `got` and `inputs` are what the task's module in this package says; anything odd in `got` matches nothing. Nor does
    a batch of one row, in which too many mistakes look alike.
    """
    if any(isinstance(value, Tensor) and len(value) == 1 for value in inputs.values()):
        return None
    for known in KNOWN[task]:
        if known.explains(got, **inputs):
            return known.misconception
    return None
