"""The judge's own short run of consistency distillation, made of four functions that may be the student's.

The judge owns loop, weights, noise and optimiser; the functions only answer. They draw no randomness, so what agrees
with the reference call by call, up to rounding, must by induction end where the reference ended: `Trace` records the
reference's answers, and `train` snaps an agreeing answer to them. Only an answer that disagrees is trained for real.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

State = dict[str, Tensor]
Shapes = dict[str, tuple[int, ...]]

# Relative to the largest entry of an answer. `autograder calibrate` puts noise of this size into every answer and
# measures how far it spreads the result, so agreement within it changes no verdict.
AGREEMENT = 1e-5


@dataclass(frozen=True)
class Recipe:
    """The short run: about a second of one core. Reasons in docs and in the calibration's figure."""

    hidden_dim: int = 64  # separates right from wrong better than the notebook's 128, and costs a third
    steps: int = 500
    batch: int = 64
    levels: int = 20
    sigma_min: float = 0.002
    peak: float = 8e-3  # Adam's learning rate, constant, then linear to 0 over the last 40 %
    decay: float = 0.9
    seed: int = 2303_01469

    def rate(self, step: int) -> float:
        """Return the learning rate of a step."""
        return self.peak * min(1.0, (self.steps - step) / (0.4 * self.steps))


class Functions(Protocol):
    """The four functions of Exercise 3, on the judge's terms: tensors and state dicts in and out."""

    def noisy_sample(self, x_0: Tensor, epsilon: Tensor, t: Tensor) -> Tensor:
        """Return x_tn1, (B, 2)."""
        ...

    def teacher_ode_step(self, x_tn1: Tensor, t_n1: Tensor, t_n: Tensor) -> Tensor:
        """Return x_hat_tn, (B, 2)."""
        ...

    def gradient(self, online: State, target: State, points: Points) -> State:
        """Return the gradient of consistency_distillation_loss by the names of online's parameters."""
        ...

    def ema_update(self, online: State, target: State, decay: float) -> State:
        """Return the target's new state."""
        ...


@dataclass(frozen=True)
class Points:
    """What the loss is taken at: x_tn1 and x_hat_tn (B, 2), t_n1 and t_n (B,)."""

    x_tn1: Tensor
    t_n1: Tensor
    x_hat_tn: Tensor
    t_n: Tensor


@dataclass(frozen=True)
class Batches:
    """All data of a run, drawn before it begins: x_0 and epsilon (steps, B, 2), t_n1 and t_n (steps, B)."""

    x_0: Tensor
    epsilon: Tensor
    t_n1: Tensor
    t_n: Tensor


@dataclass
class Trace:
    """What the reference answered at each step."""

    x_tn1: list[Tensor] = field(default_factory=list)
    x_hat_tn: list[Tensor] = field(default_factory=list)
    gradient: list[Tensor] = field(default_factory=list)
    state: State = field(default_factory=dict)


def draw_batches(recipe: Recipe, data: Tensor) -> Batches:
    """Draw a run's batches from `data`, (N, 2), with the recipe's seed alone."""
    generator = torch.Generator().manual_seed(recipe.seed)
    shape = (recipe.steps, recipe.batch)
    rows = torch.randint(len(data), shape, generator=generator)
    n = torch.randint(recipe.levels, shape, generator=generator)
    levels = torch.linspace(recipe.sigma_min, 1.0, recipe.levels + 1)
    epsilon = torch.randn(*shape, 2, generator=generator)
    return Batches(data[rows], epsilon, levels[n + 1], levels[n])


def initial_state(recipe: Recipe, shapes: Shapes) -> State:
    """Return start weights: uniform in +-1/sqrt(fan in), as nn.Linear draws them."""
    generator = torch.Generator().manual_seed(recipe.seed + 1)
    state: State = {}
    for name, shape in shapes.items():
        fan_in = shapes[name.replace(".bias", ".weight")][-1]
        state[name] = (2 * torch.rand(shape, generator=generator) - 1) / math.sqrt(fan_in)
    return state


def train(functions: Functions, recipe: Recipe, batches: Batches, start: State, trace: Trace | None = None) -> tuple[State, Trace]:
    """Run the recipe with these functions and return the online network's state and what the functions answered.

    With the reference's `trace`, answers that agree with it are snapped to it; the trace that is returned is then the
    reference's own, or empty once one has disagreed.
    """
    flat, shapes = _flatten(start), {name: tuple(value.shape) for name, value in start.items()}
    target, first, second = flat.clone(), torch.zeros_like(flat), torch.zeros_like(flat)
    recorded = Trace()
    follow = trace
    for step in range(recipe.steps):
        t_n1, t_n = batches.t_n1[step], batches.t_n[step]
        x_tn1 = functions.noisy_sample(batches.x_0[step], batches.epsilon[step], t_n1)
        x_tn1, follow = _snap(x_tn1, follow, follow and follow.x_tn1[step])
        x_hat_tn = functions.teacher_ode_step(x_tn1, t_n1, t_n)
        x_hat_tn, follow = _snap(x_hat_tn, follow, follow and follow.x_hat_tn[step])
        online_state, target_state = _unflatten(flat, shapes), _unflatten(target, shapes)
        gradient = _flatten(functions.gradient(online_state, target_state, Points(x_tn1, t_n1, x_hat_tn, t_n)))
        gradient, follow = _snap(gradient, follow, follow and follow.gradient[step])
        _adam(flat, gradient, first, second, step + 1, recipe.rate(step))
        average = recipe.decay * target + (1 - recipe.decay) * flat if follow else None
        moved = _flatten(functions.ema_update(_unflatten(flat, shapes), target_state, recipe.decay))
        target, follow = _snap(moved, follow, average)
        if trace is None:
            recorded.x_tn1.append(x_tn1)
            recorded.x_hat_tn.append(x_hat_tn)
            recorded.gradient.append(gradient)
    state = _unflatten(flat, shapes)
    if trace is None:
        recorded.state = state
        return state, recorded
    return state, follow or recorded


def _snap(value: Tensor, follow: Trace | None, reference: Tensor | None) -> tuple[Tensor, Trace | None]:
    """Return the reference's answer while this one agrees with it, else the answer as it is and no more to follow."""
    if follow is None or reference is None:
        return value, None
    # NaN fails every comparison, so this form rejects it.
    if value.shape == reference.shape and bool((value - reference).abs().max() <= AGREEMENT * reference.abs().max()):
        return reference, follow
    return value, None


def _adam(flat: Tensor, gradient: Tensor, first: Tensor, second: Tensor, step: int, rate: float) -> None:
    """One step of Adam in place (Kingma and Ba 2015, algorithm 1, with its defaults).

    Not torch.optim: its first object imports torch._dynamo, two seconds of every cold `autograder score`.
    """
    first.lerp_(gradient, 0.1)
    second.mul_(0.999).addcmul_(gradient, gradient, value=0.001)
    scale = (second / (1 - 0.999**step)).sqrt_().add_(1e-8)
    flat.addcdiv_(first, scale, value=-rate / (1 - 0.9**step))


def _flatten(state: State) -> Tensor:
    return torch.cat([value.reshape(-1) for value in state.values()])


def _unflatten(flat: Tensor, shapes: Shapes) -> State:
    state: State = {}
    offset = 0
    for name, shape in shapes.items():
        size = math.prod(shape)
        state[name] = flat[offset : offset + size].reshape(shape)
        offset += size
    return state
