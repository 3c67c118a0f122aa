"""What is measured once and committed beside the checks: teacher weights, its endpoints, and the quality limits."""

from __future__ import annotations

import io
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from autograder.assignment import Assignment
from autograder.errors import GraderFault
from autograder.system.files import write_atomically

CHECKS = Path(__file__).resolve().parents[1] / "checks"
WEIGHTS, LIMITS = CHECKS / "teacher.npz", CHECKS / "calibration.json"


@dataclass(frozen=True)
class Limits:
    """How many times the reference's own distance a right submission may end at."""

    mean: float
    tail: float


@dataclass(frozen=True)
class Calibration:
    """The teacher's state; noise and endpoints (N, 2) of its ODE; data (M, 2) of the short run; the limits.

    `bands` holds, for each limit, what it lies between: the furthest right run and the nearest wrong one.
    """

    teacher: dict[str, Tensor]
    noise: Tensor
    endpoints: Tensor
    data: Tensor
    limits: Limits
    bands: dict[str, tuple[float, float]] = field(default_factory=dict)


def load_calibration(assignment: Assignment) -> Calibration:
    """Read the committed calibration of an assignment.

    Raises GraderFault when it is missing or was made by another prelude.
    """
    try:
        with np.load(WEIGHTS, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        record = json.loads(LIMITS.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise GraderFault(f"{CHECKS} lacks a calibration ({error}); run `autograder calibrate`") from None
    if str(arrays["prelude_sha256"]) != assignment.prelude_sha256:
        raise GraderFault(
            f"{WEIGHTS.name} was made by another prelude than the source notebook's; run `autograder calibrate`, "
            "look at its figure and commit what it writes"
        )
    tensors = {name: torch.from_numpy(value) for name, value in arrays.items() if name != "prelude_sha256"}
    teacher = {name.removeprefix("teacher."): value for name, value in tensors.items() if name.startswith("teacher.")}
    return Calibration(
        teacher, tensors["noise"], tensors["endpoints"], tensors["data"], Limits(**record["limits"]), _bands(record)
    )


def _bands(record: dict[str, Any]) -> dict[str, tuple[float, float]]:
    margins = record.get("margins", {})  # a calibration made for a test has none
    shown = {name: margins[name] for name in record["limits"] if name in margins}
    return {name: (found["furthest_right"], min(found["nearest_wrong"].values())) for name, found in shown.items()}


def save_weights(assignment: Assignment, calibration: Calibration, path: Path = WEIGHTS) -> None:
    """Write teacher, noise, endpoints and data, with the hash of the prelude that made them."""
    arrays: dict[str, Any] = {f"teacher.{name}": value.numpy() for name, value in calibration.teacher.items()}
    arrays |= {name: getattr(calibration, name).numpy() for name in ("noise", "endpoints", "data")}
    buffer = io.BytesIO()
    np.savez(buffer, prelude_sha256=np.array(assignment.prelude_sha256), **arrays)
    write_atomically(path, buffer.getvalue())


def save_limits(limits: Limits, provenance: dict[str, Any], path: Path = LIMITS) -> None:
    """Write the limits and where they come from."""
    record = {"limits": asdict(limits), **provenance}
    write_atomically(path, json.dumps(record, indent=2, ensure_ascii=True, allow_nan=False).encode() + b"\n")
