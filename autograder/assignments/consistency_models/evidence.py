"""What the figures of a report show: the samples of the model that a submission trained, how far they end from the
teacher, and the noise levels that its sampler asked at.

All of it comes from the judge's own seeds: the samples are the trained network's jump from the calibration's noise,
the levels are times. What differs from one call to the next is the student's own randomness and is left out.
It is small and rounded; figures.py draws it, and the drawings are stored in the report.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from autograder.assignments.consistency_models.checks.strategies import Draw
from autograder.assignments.consistency_models.figures import figures
from autograder.assignments.consistency_models.prepare import Distance
from autograder.assignments.consistency_models.sampling import Sampled, run_sampler
from autograder.assignments.consistency_models.training.calibration import Calibration
from autograder.assignments.consistency_models.training.functions import FUNCTIONS
from autograder.assignments.consistency_models.training.quality import JointTraining
from autograder.checking import CheckFailed, Student

STEPS = (1, 2, 4, 8)  # as the notebook draws them
ROWS = 3  # with two rows a missing axis broadcasts in silence
LEVEL_TOLERANCE = 1e-5  # as in the sampler's own checks
VISITS_SHOWN = 24  # of a sampler that asks without end
PATIENCE_SECONDS = 1.0  # a sampler that takes longer for three points, all of a check long, gets no figure
POINTS = 250  # of the calibration's thousand: two moons are seen, and the page stays small
FURTHEST = 9.99  # data units; the moons end at 4, and what flew off is drawn at the border
LARGEST = 99.99  # times the reference's distance


def figures_of_levels(student: Student) -> list[dict[str, Any]]:
    """Ask a sampler whose checks are done; return its figures as a report stores them."""
    return [figure.to_dict() for figure in figures({"levels": levels_visited(student)})]


def figures_of_training(training: JointTraining) -> list[dict[str, Any]]:
    """Return the figures of what a submission has trained as a report stores them."""
    return [figure.to_dict() for figure in figures(gather(training))]


def gather(training: JointTraining) -> dict[str, Any]:
    """Return the evidence on a training; none where an answer is missing, or fails."""
    trained, reference = training.trained, training.reference
    if trained is None:
        return {}
    return {
        "distance": _distances(trained.distance, reference.distance, reference.calibration),
        "samples": {
            "target": packed(reference.calibration.data[:POINTS]),
            "teacher": packed(reference.calibration.endpoints[:POINTS]),
            "student": packed(reference.jump(trained.online)[:POINTS]),
        },
        "replaced": [name for name in FUNCTIONS if name not in training.own],
    }


def levels_visited(student: Student) -> list[dict[str, Any]]:
    """Return the levels that the sampler asked at, the right ones, and whether these are those.

    `asked` is None where two calls ask at different levels. A call whose questions no network could answer has no row.
    """
    rows = []
    try:
        for n_steps in STEPS:
            began = student.seconds_left()
            runs = [run_sampler(student, Draw(n_steps), ROWS, n_steps) for _ in range(2)]
            if began - student.seconds_left() > 2 * PATIENCE_SECONDS:
                return []
            first, second = (_asked(run) for run in runs)
            if first is not None and second is not None:
                asked = first if first == second else None
                expected = [round(float(level), 3) for level in runs[0].levels]
                rows.append({"n_steps": n_steps, "asked": asked, "expected": expected, "right": _is_right(runs[0])})
    except CheckFailed:
        return []  # the checks have said so
    return rows if any(row["asked"] != [] for row in rows) else []  # nothing was asked: there is nothing to draw


def _is_right(run: Sampled) -> bool:
    levels = torch.tensor([jump.level for jump in run.jumps], dtype=torch.float64)
    return levels.shape == run.levels.shape and bool(((levels - run.levels).abs() <= LEVEL_TOLERANCE).all())


def packed(points: Tensor) -> str:
    """Return points, (N, 2), as text: two places, which a page cannot show anyway, in a tenth of JSON's room."""
    bounded = torch.nan_to_num(points.detach().double(), nan=FURTHEST).clamp(-FURTHEST, FURTHEST)
    return " ".join(f"{x + 0.0:.2f},{y + 0.0:.2f}" for x, y in bounded.mul(100).round().div(100).tolist())


def _asked(run: Sampled) -> list[float] | None:
    """Return the levels of a run's questions; None where one has no level, or several."""
    jumps = run.jumps
    if len(jumps) != len(run.questions) or any(not torch.equal(jump.t, jump.t[:1].expand(ROWS)) for jump in jumps):
        return None
    return [round(min(max(jump.level, -LARGEST), LARGEST), 3) + 0.0 for jump in jumps[:VISITS_SHOWN]]


def _distances(own: Distance, reference: Distance, calibration: Calibration) -> dict[str, dict[str, float]]:
    """Return each distance as a multiple of the reference's, with the limit and the band that the limit lies in."""
    found = {}
    for name in ("mean", "tail"):
        ratio = getattr(own, name) / getattr(reference, name)
        right, wrong = calibration.bands.get(name, (math.nan, math.nan))
        limit = getattr(calibration.limits, name)
        shown = {"ratio": ratio, "limit": limit, "right": right, "wrong": wrong}
        found[name] = {key: round(min(value, LARGEST), 3) for key, value in shown.items() if not math.isnan(value)}
    return found
