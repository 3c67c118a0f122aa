"""How good is the model that the student's four functions train? Compared with the reference's own run.

Both runs have the same seeds and happen on the same machine. The measure is the distance from one jump of the trained
model to the end of the teacher's trajectory from the same noise; being paired, it has no sampling noise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from autograder.assignment import Assignment
from autograder.calibration import Calibration, load_calibration
from autograder.student import Model, Student
from autograder.training import Functions, Points, Recipe, State, Trace, draw_batches, initial_state, train
from autograder.verdict import CheckFailed, Status, contract, wrong

FUNCTIONS = ("noisy_sample", "teacher_ode_step", "consistency_distillation_loss", "ema_update")
TAIL = 2.0  # noise of a norm above this is the tail, where mistakes with t show most


@dataclass(frozen=True)
class Distance:
    """Mean distance to the teacher's endpoints, in data units: over all noises, and over the tail alone."""

    mean: float
    tail: float


class ReferenceFunctions:
    """The four functions of the source notebook, run in the judge's own process."""

    def __init__(self, namespace: dict[str, Any], teacher: Any, recipe: Recipe) -> None:
        self._functions = {name: namespace[name] for name in FUNCTIONS}
        self._teacher = teacher
        self._online = namespace["ConsistencyModel"](recipe.hidden_dim, recipe.sigma_min)
        self._target = namespace["ConsistencyModel"](recipe.hidden_dim, recipe.sigma_min).requires_grad_(False)

    def noisy_sample(self, x_0: Tensor, epsilon: Tensor, t: Tensor) -> Tensor:
        """Return x_tn1, (B, 2)."""
        result: Tensor = self._functions["noisy_sample"](x_0, epsilon, t)
        return result

    def teacher_ode_step(self, x_tn1: Tensor, t_n1: Tensor, t_n: Tensor) -> Tensor:
        """Return x_hat_tn, (B, 2)."""
        result: Tensor = self._functions["teacher_ode_step"](self._teacher, x_tn1, t_n1, t_n)
        return result

    def gradient(self, online: State, target: State, points: Points) -> State:
        """Return the loss's gradient by the names of online's parameters."""
        self._load(online, target)
        loss = self._functions["consistency_distillation_loss"](
            self._online, self._target, points.x_tn1, points.t_n1, points.x_hat_tn, points.t_n
        )
        names, parameters = zip(*self._online.named_parameters(), strict=True)
        return dict(zip(names, torch.autograd.grad(loss, parameters), strict=True))

    def ema_update(self, online: State, target: State, decay: float) -> State:
        """Return the target's new state."""
        self._load(online, target)
        self._functions["ema_update"](self._online, self._target, decay)
        return {name: value.detach().clone() for name, value in self._target.named_parameters()}

    def _load(self, online: State, target: State) -> None:
        self._online.load_state_dict(online)
        self._target.load_state_dict(target)


class StudentFunctions:
    """The four functions of a submission; those not in `own` are the reference's, on the judge's side."""

    def __init__(self, student: Student, own: frozenset[str], reference: ReferenceFunctions, teacher: State, recipe: Recipe) -> None:
        self._student = student
        self._own = own
        self._reference = reference
        self._options = {"hidden_dim": recipe.hidden_dim, "sigma_min": recipe.sigma_min}
        self._teacher: State | None = teacher

    def noisy_sample(self, x_0: Tensor, epsilon: Tensor, t: Tensor) -> Tensor:
        """Return x_tn1, (B, 2); raises CheckFailed."""
        if "noisy_sample" not in self._own:
            return self._reference.noisy_sample(x_0, epsilon, t)
        reply = self._student.call("noisy_sample", x_0, epsilon, t, report="grad")
        return _finite(reply.value, x_0, "noisy_sample")

    def teacher_ode_step(self, x_tn1: Tensor, t_n1: Tensor, t_n: Tensor) -> Tensor:
        """Return x_hat_tn, (B, 2); raises CheckFailed."""
        if "teacher_ode_step" not in self._own:
            return self._reference.teacher_ode_step(x_tn1, t_n1, t_n)
        teacher = Model("ToyModel", self._teacher, requires_grad=False, training=False, slot="teacher")
        self._teacher = None  # it stays in its slot
        reply = self._student.call("teacher_ode_step", teacher, x_tn1, t_n1, t_n, report="grad")
        return _finite(reply.value, x_tn1, "teacher_ode_step")

    def gradient(self, online: State, target: State, points: Points) -> State:
        """Return the loss's gradient by the names of online's parameters; raises CheckFailed."""
        name = "consistency_distillation_loss"
        if name not in self._own:
            return self._reference.gradient(online, target, points)
        arguments = (points.x_tn1, points.t_n1, points.x_hat_tn, points.t_n)
        reply = self._student.call(name, *self._models(online, target), *arguments, backward=True, report="grad")
        grad = getattr(reply.arguments[0] if reply.arguments else None, "grad", {})
        return {key: _finite(grad.get(key), value, f"the gradient of {name}") for key, value in online.items()}

    def ema_update(self, online: State, target: State, decay: float) -> State:
        """Return the target's new state; raises CheckFailed."""
        if "ema_update" not in self._own:
            return self._reference.ema_update(online, target, decay)
        reply = self._student.call("ema_update", *self._models(online, target), decay, report="state")
        state = getattr(reply.arguments[1] if len(reply.arguments) > 1 else None, "state", {})
        return {key: _finite(state.get(key), value, "the target after ema_update") for key, value in target.items()}

    def _models(self, online: State, target: State) -> tuple[Model, Model]:
        return (
            Model("ConsistencyModel", online, self._options, slot="online"),
            Model("ConsistencyModel", target, self._options, requires_grad=False, slot="target"),
        )


def _finite(value: Any, like: Tensor, what: str) -> Tensor:
    if not isinstance(value, Tensor) or value.shape != like.shape or value.dtype != like.dtype:
        raise contract(f"During training, {what} lost the shape or type that it had in its own checks.")
    if not bool(torch.isfinite(value).all()):
        raise contract(f"During training, {what} became NaN or infinite.")
    return value


class Reference:
    """What is the same for every submission of an assignment: teacher, data, the reference's functions and its run."""

    def __init__(self, assignment: Assignment) -> None:
        self.assignment = assignment
        self.recipe = Recipe()

    @cached_property
    def calibration(self) -> Calibration:
        """Teacher weights and thresholds, as committed; raises GraderFault when they belong to another prelude."""
        return load_calibration(self.assignment)

    @cached_property
    def namespace(self) -> dict[str, Any]:
        """Where the prelude and the reference answers live, in this process."""
        namespace: dict[str, Any] = {"__name__": "__main__"}
        for cell in (*self.assignment.prelude, *self.assignment.reference):
            exec(compile(cell.source, f"<source cell {cell.number}>", "exec", dont_inherit=True), namespace)
        return namespace

    def prepare(self) -> None:
        """Compute what every submission needs, while the keeper comes up."""
        _ = self.distance

    @cached_property
    def functions(self) -> ReferenceFunctions:
        """The reference's four functions."""
        teacher = self.namespace["ToyModel"]()
        teacher.load_state_dict(self.calibration.teacher)
        return ReferenceFunctions(self.namespace, teacher.eval().requires_grad_(False), self.recipe)

    @cached_property
    def run(self) -> Trace:
        """The reference's own short run on this machine, about a second."""
        return train(self.functions, self.recipe, self.batches, self.start)[1]

    @cached_property
    def batches(self) -> Any:
        """The data of the short run."""
        return draw_batches(self.recipe, self.calibration.data)

    @cached_property
    def start(self) -> State:
        """The start weights of the short run."""
        shapes = {name: tuple(p.shape) for name, p in self.functions._online.named_parameters()}
        return initial_state(self.recipe, shapes)

    @cached_property
    def distance(self) -> Distance:
        """How far the reference's own run ends from the teacher."""
        return self.measure(self.run.state)

    def train(self, functions: Functions) -> State:
        """Return what these functions train; the reference's own state when they agree with it throughout."""
        state, trace = train(functions, self.recipe, self.batches, self.start, self.run)
        return trace.state or state

    def measure(self, state: State) -> Distance:
        """Return the distance of a trained state to the teacher's endpoints."""
        model = self.namespace["ConsistencyModel"](self.recipe.hidden_dim, self.recipe.sigma_min)
        model.load_state_dict(state)
        noise, endpoints = self.calibration.noise, self.calibration.endpoints
        with torch.no_grad():
            samples = model(noise, torch.ones(len(noise)))
        errors = (samples - endpoints).norm(dim=1)
        return Distance(float(errors.mean()), float(errors[noise.norm(dim=1) > TAIL].mean()))


class Marking:
    """What the checks of boundary_condition and sample_quality ask: one submission, trained at most once."""

    def __init__(self, reference: Reference, held: Callable[[str], bool]) -> None:
        self.reference = reference
        self._held = held
        self._trained: State | None = None
        self._failed: CheckFailed | None = None

    @property
    def own(self) -> frozenset[str]:
        """The functions that are the student's own and right, by their value checks."""
        return frozenset(name for name in FUNCTIONS if self._held(name))

    def share(self) -> Fraction:
        """Return the part of the points that can be had: all with three or four functions, half with two.

        Raises CheckFailed with fewer.
        """
        if len(self.own) >= 3:
            return Fraction(1)
        if len(self.own) == 2:
            return Fraction(1, 2)
        missing = ", ".join(name for name in FUNCTIONS if name not in self.own)
        raise CheckFailed(
            Status.NOT_ATTEMPTED,
            f"This is measured once at least two of the four functions of Exercise 3 hold; still to do: {missing}.",
        )

    def train(self, student: Student) -> State:
        """Return the state that the student's right functions train; raises CheckFailed when one fails on the way."""
        if self._failed is not None:
            raise self._failed
        if self._trained is None:
            reference = self.reference
            functions = StudentFunctions(student, self.own, reference.functions, reference.calibration.teacher, reference.recipe)
            try:
                self._trained = reference.train(functions)
            except CheckFailed as failure:
                self._failed = failure
                raise
        return self._trained

    def trained_or_reference(self, student: Student) -> State:
        """Return the trained state, or the reference's where training failed: that costs its points elsewhere."""
        try:
            return self.train(student)
        except CheckFailed:
            return self.reference.run.state

    def full(self) -> None:
        """Raise the half of the points as a failure where only two functions are the student's own."""
        share = self.share()
        if share < 1:
            missing = ", ".join(name for name in FUNCTIONS if name not in self.own)
            raise CheckFailed(
                Status.WRONG,
                f"This holds with two of the four functions being yours, for half of the points; still to do: {missing}.",
                earned=share,
            )

    def check_distance(self, student: Student, tail: bool) -> None:
        """Raise CheckFailed unless the trained model is as good as the reference's, within the calibrated factor."""
        self.share()
        reference = self.reference
        distance, own = reference.measure(self.train(student)), reference.distance
        name = "tail" if tail else "mean"
        ratio = getattr(distance, name) / getattr(own, name)
        limit = getattr(reference.calibration.limits, name)
        # NaN fails every comparison, so this form rejects it.
        if not ratio <= limit:
            raise wrong(
                "The model that your functions train ends further from the teacher than it should: "
                f"{ratio:.2f} times the distance that is reached with right functions, {limit:.2f} is allowed. Each of them "
                "passed its own checks; is one of them right only for some inputs, batch sizes, or its first calls?"
            )
        self.full()
