"""Steps of the short run in which small maps stand in for its networks: a third of the cost of a step with networks.

What a function answers depends on its arguments, and, where it counts its calls, on how often it was asked. The second
shows with any network. So most steps are asked about affine maps, with the batches of the run, and the steps between
about the networks of the run itself (following.py). ema_update, which may know how a network is built, is asked about
networks of four units.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from autograder.assignments.consistency_models.training.functions import Networks, ReferenceFunctions, frozen, pair_of
from autograder.assignments.consistency_models.training.recipe import Batches, Points, Recipe
from autograder.box.models import Affine

AFFINE = {"dimension": 2}
SMALL = 4  # units of a network for ema_update


@dataclass(frozen=True)
class AffineSteps:
    """What is asked in each step, and what the reference answers; all parameters of a network as one vector.

    online and target, (steps, P), are affine maps; x_hat_tn is (steps, B, 2) and gradient (steps, P). moved and
    averaged, (steps + 1, Q), are small networks: before each step and after the last.
    """

    networks: Networks
    online: Tensor
    target: Tensor
    x_hat_tn: Tensor
    gradient: Tensor
    moved: Tensor
    averaged: Tensor


def affine_functions(namespace: dict[str, Any], recipe: Recipe) -> ReferenceFunctions:
    """Return a namespace's functions, to be asked with small maps; the teacher is drawn by the recipe's seed."""
    generator = torch.Generator().manual_seed(recipe.seed + 2)
    teacher = Affine(**AFFINE).requires_grad_(False)
    for parameter in teacher.parameters():
        parameter.normal_(generator=generator)
    compared = Affine(**AFFINE), Affine(**AFFINE)
    return ReferenceFunctions(namespace, teacher, compared, pair_of(namespace, SMALL, recipe.sigma_min))


def affine_networks(functions: ReferenceFunctions, recipe: Recipe) -> Networks:
    """Return how a box is asked about the small maps; `functions` come from `affine_functions`."""
    small = "ConsistencyModel", {"hidden_dim": SMALL, "sigma_min": recipe.sigma_min}
    return Networks(frozen("Affine", AFFINE, functions.teacher.state_dict()), ("Affine", AFFINE), small)


def affine_answers(
    functions: ReferenceFunctions, recipe: Recipe, batches: Batches, x_tn1: Tensor
) -> tuple[Tensor, ...]:
    """Draw maps from the standard normal distribution with the recipe's seed, and ask the reference.

    Returns the tensors of AffineSteps, in order. `functions` come from `affine_functions`; `x_tn1`, (steps, B, 2), are
    the mixtures of the run. Each target is averaged from the one before and the network that is drawn for its step.
    """
    affine_width, small_width = functions.widths
    generator = torch.Generator().manual_seed(recipe.seed + 3)
    online, target = (torch.randn(recipe.steps, affine_width, generator=generator) for _ in range(2))
    t_n1, t_n = batches.t_n1, batches.t_n
    rows = functions.teacher_ode_step(x_tn1.flatten(0, 1), t_n1.flatten(), t_n.flatten())
    x_hat_tn, gradient = rows.view_as(x_tn1), torch.empty_like(online)
    for step in range(recipe.steps):
        points = Points(x_tn1[step], t_n1[step], x_hat_tn[step], t_n[step])
        gradient[step] = functions.gradient(online[step], target[step], points)
    moved = torch.randn(recipe.steps + 1, small_width, generator=generator)
    averaged = moved.clone()
    for step in range(recipe.steps):
        averaged[step + 1] = recipe.decay * averaged[step] + (1 - recipe.decay) * moved[step + 1]
    return online, target, x_hat_tn, gradient, moved, averaged
