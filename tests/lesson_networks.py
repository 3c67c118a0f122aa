"""The models that the lesson's page carries, as the notebook's own classes."""

import functools
import json
from pathlib import Path
from typing import Any

import torch

from autograder.assignment import load_assignment
from autograder.assignments.consistency_models.prepare import run_cells
from autograder.course import find_assignment

COURSE = Path(__file__).parents[1]
MODELS = json.loads((find_assignment(COURSE).lesson / "models.json").read_text(encoding="utf-8"))


@functools.cache
def exported_networks() -> dict[str, Any]:
    """Return the exported models by name, and the notebook's solver, `solve_ode`."""
    names = run_cells(load_assignment(COURSE), [])
    weights = torch.frombuffer(
        bytearray((find_assignment(COURSE).lesson / "models.bin").read_bytes()), dtype=torch.float32
    )
    found = {}
    for model in MODELS["models"]:
        kind = "ToyModel" if model["name"] == "teacher" else "ConsistencyModel"
        network = names[kind](model["hidden"])
        torch.nn.utils.vector_to_parameters(
            weights[model["first"] : model["first"] + model["count"]], network.parameters()
        )
        found[model["name"]] = network.eval().requires_grad_(False)
    return found | {"solve_ode": names["solve_ode"]}
