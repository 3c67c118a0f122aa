"""Known mistakes, recognised by what the code does on the judge's inputs, never by how it is written.

Each has a name, a sentence on what the code seems to do and a question that leads on. Each is the mistake of a
recorded answer in tests/submissions/, so that every hint has been seen to fire.
"""

from __future__ import annotations

from autograder.assignments.consistency_models.misconceptions import (
    averages,
    jumps,
    losses,
    noises,
    pairs,
    points,
    steps,
)
from autograder.checking import Known, Misconception

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
