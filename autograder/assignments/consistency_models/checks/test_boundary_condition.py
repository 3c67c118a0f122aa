"""Hidden checks of boundary_condition: 2 points. f(x, sigma_min) = x, whatever was trained."""

from __future__ import annotations

import torch
from torch import Tensor

from autograder.assignments.consistency_models.checks.strategies import Draw
from autograder.assignments.consistency_models.training.quality import JointTraining
from autograder.checking import Model, Student, contract, points, wrong

TOLERANCE = 1e-6  # CONTRACT.md; relative to coordinates above 1, as float32 has 24 bits


def check(student: Student, training: JointTraining, train_mode: bool) -> None:
    """Compare f(x, sigma_min) with x in one mode of the class as the student's notebook leaves it."""
    training.share()
    recipe = training.reference.recipe
    options = {"hidden_dim": recipe.hidden_dim, "sigma_min": recipe.sigma_min}
    state = training.trained_or_reference()
    model = Model("ConsistencyModel", state, options, requires_grad=False, training=train_mode, notebook=True)
    x = 2.0 * Draw(1).normal(256, 2)
    reply = student.evaluate(model, x, torch.full((len(x),), recipe.sigma_min))
    if not isinstance(reply.value, Tensor) or reply.value.shape != x.shape or reply.value.dtype != x.dtype:
        raise contract(
            "ConsistencyModel(x, sigma_min) is no tensor of x's shape and type any more; "
            "has your notebook changed the class?"
        )
    # NaN fails every comparison, so this form rejects it.
    if not bool(((reply.value - x).abs() <= TOLERANCE * x.abs().clamp(min=1.0)).all()):
        raise wrong(
            "ConsistencyModel(x, sigma_min) differs from x. The given class keeps this by construction, "
            "whatever it has learned; what in your notebook has changed the class?"
        )
    training.full()


@points(1)
def test_train_mode(student: Student, training: JointTraining) -> None:
    """At the smallest noise level the model returns its input, in train mode."""
    check(student, training, train_mode=True)


@points(1)
def test_eval_mode(student: Student, training: JointTraining) -> None:
    """At the smallest noise level the model returns its input, in eval mode."""
    check(student, training, train_mode=False)
