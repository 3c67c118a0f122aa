"""`autograder calibrate`: measures the limits of the sample quality again and writes them with where they come from.

What is measured stands in spread.py. Each limit of distance is the middle, on a logarithmic scale, of the gap between
the furthest right run and the nearest wrong answer that distance can tell. What it cannot tell must differ from the
reference in its answers, call by call. The command refuses to write where right and wrong ones overlap.
"""

from __future__ import annotations

import importlib.metadata
import math
import platform
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from autograder.assignment import Assignment
from autograder.assignments.consistency_models.training.calibration import (
    CHECKS,
    LIMITS,
    WEIGHTS,
    Limits,
    save_limits,
    save_weights,
)
from autograder.assignments.consistency_models.training.following import AGREEMENT, SNAP
from autograder.assignments.consistency_models.training.recipe import Recipe
from autograder.assignments.consistency_models.training.spread import (
    Measured,
    Subject,
    make_calibration,
    measure,
    subjects,
)
from autograder.errors import FaultFound
from autograder.grading.recorded_answers import load_bank
from autograder.render.terminal import console

MARGIN = 1.05  # a limit stays at least this factor away from right runs and from wrong ones
AGREEMENT_MARGIN = 10.0  # the same for the limit of agreement
STATISTICS = ("mean", "tail", "sliced")


@dataclass(frozen=True)
class Calibrating:
    """How much is measured, and where what comes of it goes."""

    seeds: int = 20
    recipe: Recipe = field(default_factory=Recipe)
    folder: Path = CHECKS
    figure: Path | None = None  # default: docs/calibration.png of the course


def calibrate_command(assignment: Assignment, how: Calibrating | None = None) -> int:
    """Measure, write teacher.npz, calibration.json and the figure, and return the exit code.

    About half a minute of one core a seed. Raises FaultFound, writing nothing, where right and wrong ones overlap.
    """
    how = how or Calibrating()
    torch.set_num_threads(1)  # as in judge and box: a sum in another order would round differently
    found = subjects(load_bank(assignment))
    runs = _measure(assignment, found, how)
    limits = place_limits(runs)
    calibration = replace(make_calibration(assignment, 0), limits=limits)
    save_weights(assignment, calibration, how.folder / WEIGHTS.name)
    save_limits(limits, _provenance(assignment, runs, how), how.folder / LIMITS.name)
    from autograder.assignments.consistency_models.training.calibration_figure import draw

    draw(runs, limits, how.figure or assignment.course / "docs" / "calibration.png")
    console().print("\n".join(summary(runs, limits)), highlight=False, soft_wrap=True)
    return 0


def _measure(assignment: Assignment, found: list[Subject], how: Calibrating) -> list[Measured]:
    runs: list[Measured] = []
    with console(to_stderr=True).status("") as status:
        for seed in range(how.seeds):
            recipe = replace(how.recipe, seed=how.recipe.seed + seed)
            for run in measure(assignment, found, seed, recipe):
                runs.append(run)
                status.update(f"seed {seed + 1} of {how.seeds}: {run.subject}")
    return runs


def place_limits(runs: list[Measured]) -> Limits:
    """Return the limits between right and wrong runs; raises FaultFound where there is no room for them."""
    _check_agreement(runs)
    limits = {name: _limit(runs, name) for name in ("mean", "tail")}
    return Limits(**limits)


def told(runs: list[Measured], statistic: str) -> dict[str, float]:
    """Return the wrong subjects whose every run is beyond all right runs, with their nearest run."""
    bound = _furthest_right(runs, statistic) * MARGIN**2
    return {name: low for name, low in _nearest(runs, "wrong", statistic).items() if low > bound}


def _limit(runs: list[Measured], statistic: str) -> float:
    found = told(runs, statistic)
    if not found:
        raise FaultFound(f"no recorded wrong answer trains beyond all right ones in {statistic}; nothing was written")
    return math.sqrt(_furthest_right(runs, statistic) * min(found.values()))


def _check_agreement(runs: list[Measured]) -> None:
    """Raise FaultFound unless right answers agree with the reference's on its trace, and wrong ones do not."""
    for run in runs:
        if run.deviation is None or run.noise:
            continue
        if run.kind == "right" and not run.deviation * AGREEMENT_MARGIN <= AGREEMENT:
            raise FaultFound(f"{run.subject} is right, yet {run.deviation:.1e} from the reference; nothing was written")
        if run.kind == "wrong" and not run.deviation >= AGREEMENT * AGREEMENT_MARGIN:
            raise FaultFound(f"{run.subject} is wrong, yet {run.deviation:.1e} from the reference; nothing was written")


def _furthest_right(runs: list[Measured], statistic: str) -> float:
    return float(max(getattr(run, statistic) for run in runs if run.kind == "right"))


def _nearest(runs: list[Measured], kind: str, statistic: str) -> dict[str, float]:
    nearest: dict[str, float] = {}
    for run in runs:
        if run.kind == kind:
            nearest[run.subject] = min(nearest.get(run.subject, math.inf), getattr(run, statistic))
    return nearest


def summary(runs: list[Measured], limits: Limits) -> list[str]:
    """Return what was measured, in lines for a person."""
    lines = []
    for statistic in STATISTICS:
        found, wrong = told(runs, statistic), _nearest(runs, "wrong", statistic)
        limit = getattr(limits, statistic, None)
        placed = f"limit {limit:.3f}" if limit else "no limit"
        nearest = min(found.values(), default=math.nan)
        lines.append(
            f"{statistic:>6}: right up to {_furthest_right(runs, statistic):.3f}, {placed}, "
            f"tells {len(found)} of {len(wrong)} wrong answers, the nearest at {nearest:.3f}"
        )
    return lines


def _provenance(assignment: Assignment, runs: list[Measured], how: Calibrating) -> dict[str, Any]:
    """Return where the limits come from, every run included, so that they and the figure can be made again."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "prelude_sha256": assignment.prelude_sha256,
        "versions": {
            "python": platform.python_version(),
            **{p: importlib.metadata.version(p) for p in ("torch", "numpy")},
        },
        "machine": platform.machine(),
        "seeds": how.seeds,
        "recipe": asdict(how.recipe),
        "snap": SNAP,
        "agreement": AGREEMENT,
        "margins": {
            name: {
                "furthest_right": _rounded(_furthest_right(runs, name)),
                "nearest_wrong": {
                    s: _rounded(v) for s, v in sorted(told(runs, name).items(), key=lambda item: item[1])
                },
                "not_told": sorted(set(_nearest(runs, "wrong", name)) - set(told(runs, name))),
            }
            for name in STATISTICS
        },
        "runs": _by_subject(runs),
    }


def _by_subject(runs: list[Measured]) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for run in runs:
        row = table.setdefault(run.subject, {"kind": run.kind, "deviation": None, **{name: [] for name in STATISTICS}})
        for name in STATISTICS:
            row[name].append(_rounded(getattr(run, name)))
        if run.deviation is not None:
            row["deviation"] = max(row["deviation"] or 0.0, float(f"{run.deviation:.2g}"))
    return table


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")
