"""The judge's own short run of consistency distillation, made of four functions that may be the student's.

The judge owns loop, weights, noise and optimiser; the functions only answer. All parameters of a network are one
vector here. `record` makes the reference's run and keeps what was answered; `train` runs on from any step.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

Shapes = dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class Recipe:
    """The short run: about half a second of one core. The margins it leaves stand in the calibration's figure."""

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


@dataclass(frozen=True)
class Points:
    """What the loss is taken at: x_tn1 and x_hat_tn (B, 2), t_n1 and t_n (B,)."""

    x_tn1: Tensor
    t_n1: Tensor
    x_hat_tn: Tensor
    t_n: Tensor


class Functions(Protocol):
    """The four functions of Exercise 3, on the judge's terms; online and target are all parameters as one vector."""

    def noisy_sample(self, x_0: Tensor, epsilon: Tensor, t: Tensor) -> Tensor:
        """Return x_tn1, (B, 2)."""
        ...

    def teacher_ode_step(self, x_tn1: Tensor, t_n1: Tensor, t_n: Tensor) -> Tensor:
        """Return x_hat_tn, (B, 2)."""
        ...

    def gradient(self, online: Tensor, target: Tensor, points: Points) -> Tensor:
        """Return the gradient of consistency_distillation_loss by online."""
        ...

    def ema_update(self, online: Tensor, target: Tensor, decay: float) -> Tensor:
        """Return the new target."""
        ...


@dataclass(frozen=True)
class Batches:
    """All data of a run, drawn before it begins: x_0 and epsilon (steps, B, 2), t_n1 and t_n (steps, B)."""

    x_0: Tensor
    epsilon: Tensor
    t_n1: Tensor
    t_n: Tensor

    def rows(self, steps: slice) -> Batches:
        """Return the batches of some steps."""
        return Batches(self.x_0[steps], self.epsilon[steps], self.t_n1[steps], self.t_n[steps])


@dataclass
class Trace:
    """What the reference answered at each step, (steps, ...), and the online vector that it ended with."""

    x_tn1: Tensor
    x_hat_tn: Tensor
    gradient: Tensor
    online: Tensor


class Progress:
    """Where a run stands: the two networks as vectors, and Adam's moments."""

    def __init__(self, recipe: Recipe, start: Tensor) -> None:
        self.recipe = recipe
        self.step = 0
        self.online, self.target = start, start
        self._first, self._second = torch.zeros_like(start), torch.zeros_like(start)

    def descend(self, gradient: Tensor) -> None:
        """Move online by one step of Adam (Kingma and Ba 2015, algorithm 1, with its defaults).

        Not torch.optim: its first object imports torch._dynamo, two seconds of every cold `autograder score`.
        """
        self._first.lerp_(gradient, 0.1)
        self._second.mul_(0.999).addcmul_(gradient, gradient, value=0.001)
        count = self.step + 1
        scale = (self._second / (1 - 0.999**count)).sqrt_().add_(1e-8)
        rate = self.recipe.rate(self.step) / (1 - 0.9**count)
        self.online = self.online.addcdiv(self._first, scale, value=-rate)  # a new vector: the old one may be in use

    def copy(self) -> Progress:
        """Return a run that goes on from here by itself."""
        other = Progress(self.recipe, self.online)
        other.step, other.target = self.step, self.target
        other._first, other._second = self._first.clone(), self._second.clone()
        return other

    def averaged(self) -> Tensor:
        """Return what ema_update makes of the target, by its definition."""
        return (self.recipe.decay * self.target).add_(self.online, alpha=1 - self.recipe.decay)

    def end_step(self, target: Tensor) -> None:
        """Take the new target and count the step."""
        self.target = target
        self.step += 1


def draw_batches(recipe: Recipe, data: Tensor) -> Batches:
    """Draw a run's batches from `data`, (N, 2), with the recipe's seed alone."""
    generator = torch.Generator().manual_seed(recipe.seed)
    shape = (recipe.steps, recipe.batch)
    rows = torch.randint(len(data), shape, generator=generator)
    n = torch.randint(recipe.levels, shape, generator=generator)
    levels = torch.linspace(recipe.sigma_min, 1.0, recipe.levels + 1)
    epsilon = torch.randn(*shape, 2, generator=generator)
    return Batches(data[rows], epsilon, levels[n + 1], levels[n])


def initial_vector(recipe: Recipe, shapes: Shapes) -> Tensor:
    """Return start weights: uniform in +-1/sqrt(fan in), as nn.Linear draws them."""
    generator = torch.Generator().manual_seed(recipe.seed + 1)
    values = []
    for name, shape in shapes.items():
        fan_in = shapes[name.replace(".bias", ".weight")][-1]
        values.append((2 * torch.rand(shape, generator=generator) - 1).reshape(-1) / math.sqrt(fan_in))
    return torch.cat(values)


def record(functions: Functions, recipe: Recipe, batches: Batches, start: Tensor) -> Trace:
    """Run the recipe with the reference's functions and return all that they answered.

    The target is averaged by definition, so that whoever follows the trace walks through the very same numbers.
    """
    run = Progress(recipe, start)
    shape = (recipe.steps, recipe.batch, 2)
    trace = Trace(torch.empty(shape), torch.empty(shape), torch.empty(recipe.steps, len(start)), start)
    for step in range(recipe.steps):
        points = _points(functions, batches, step)
        trace.x_tn1[step], trace.x_hat_tn[step] = points.x_tn1, points.x_hat_tn
        trace.gradient[step] = functions.gradient(run.online, run.target, points)
        run.descend(trace.gradient[step])
        run.end_step(run.averaged())
    trace.online = run.online
    return trace


def train(functions: Functions, batches: Batches, run: Progress) -> Tensor:
    """Run on to the recipe's end with these functions and return the online vector."""
    while run.step < run.recipe.steps:
        points = _points(functions, batches, run.step)
        run.descend(functions.gradient(run.online, run.target, points))
        run.end_step(functions.ema_update(run.online, run.target, run.recipe.decay))
    return run.online


def _points(functions: Functions, batches: Batches, step: int) -> Points:
    t_n1, t_n = batches.t_n1[step], batches.t_n[step]
    x_tn1 = functions.noisy_sample(batches.x_0[step], batches.epsilon[step], t_n1)
    return Points(x_tn1, t_n1, functions.teacher_ode_step(x_tn1, t_n1, t_n), t_n)
