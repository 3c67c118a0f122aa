"""The four functions of Exercise 3 that a training asks: the reference's, in this process, or a submission's."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils import parameters_to_vector

from autograder.assignments.consistency_models.training.recipe import Functions, Points, Recipe
from autograder.checking.student import Call, Model, Rows, Student
from autograder.verdict import CheckFailed, contract

FUNCTIONS = ("noisy_sample", "teacher_ode_step", "consistency_distillation_loss", "ema_update")  # trained together
NOISY, STEP, LOSS, AVERAGE = FUNCTIONS


class ReferenceFunctions:
    """The four functions of the source notebook, or others of their names, run in the judge's own process.

    `compared` are online and target of the loss, `averaged` those of ema_update: networks that nobody else uses.
    """

    def __init__(
        self, namespace: dict[str, Any], teacher: Any, compared: tuple[Any, Any], averaged: tuple[Any, Any]
    ) -> None:
        self._functions = {name: namespace[name] for name in FUNCTIONS}
        self.teacher, self._compared, self._averaged = teacher, compared, averaged
        for _, target in (compared, averaged):
            target.requires_grad_(False)
        self.widths = [sum(p.numel() for p in networks[0].parameters()) for networks in (compared, averaged)]
        self.shapes = {name: tuple(parameter.shape) for name, parameter in compared[0].named_parameters()}

    def noisy_sample(self, x_0: Tensor, epsilon: Tensor, t: Tensor) -> Tensor:
        """Return x_tn1, (B, 2)."""
        result: Tensor = self._functions[NOISY](x_0, epsilon, t)
        return result

    def teacher_ode_step(self, x_tn1: Tensor, t_n1: Tensor, t_n: Tensor) -> Tensor:
        """Return x_hat_tn, (B, 2)."""
        result: Tensor = self._functions[STEP](self.teacher, x_tn1, t_n1, t_n)
        return result

    def gradient(self, online: Tensor, target: Tensor, points: Points) -> Tensor:
        """Return the loss's gradient by online."""
        _load(self._compared, (online, target))
        arguments = (points.x_tn1, points.t_n1, points.x_hat_tn, points.t_n)
        loss = self._functions[LOSS](*self._compared, *arguments)
        gradients = torch.autograd.grad(loss, list(self._compared[0].parameters()))
        return torch.cat([value.reshape(-1) for value in gradients])

    def ema_update(self, online: Tensor, target: Tensor, decay: float) -> Tensor:
        """Return the new target."""
        _load(self._averaged, (online, target))
        self._functions[AVERAGE](*self._averaged, decay)
        return torch.cat([value.detach().reshape(-1) for value in self._averaged[1].parameters()])


def _load(networks: tuple[Any, Any], vectors: tuple[Tensor, Tensor]) -> None:
    for network, vector in zip(networks, vectors, strict=True):
        parameters = list(network.parameters())
        pieces = vector.clone().split([parameter.numel() for parameter in parameters])
        for parameter, piece in zip(parameters, pieces, strict=True):
            parameter.data = piece.view_as(parameter)  # half the time of torch's vector_to_parameters


def notebook_functions(namespace: dict[str, Any], teacher: Any, recipe: Recipe) -> ReferenceFunctions:
    """Return a namespace's functions, to be asked with the networks that it trains."""
    networks = pair_of(namespace, recipe.hidden_dim, recipe.sigma_min)
    return ReferenceFunctions(namespace, teacher, networks, networks)


def pair_of(namespace: dict[str, Any], hidden_dim: int, sigma_min: float) -> tuple[Any, Any]:
    """Return two consistency models of a namespace's own class."""
    online, target = (namespace["ConsistencyModel"](hidden_dim, sigma_min) for _ in range(2))
    return online, target


class StudentFunctions:
    """The four functions of a submission; those not in `own` are the reference's, on the judge's side.

    Every method raises CheckFailed for what the student's code does instead of answering.
    """

    def __init__(self, student: Student, own: frozenset[str], reference: Functions, asking: Asking) -> None:
        self.own = own
        self.student = student
        self.asking = asking
        self._reference = reference

    def noisy_sample(self, x_0: Tensor, epsilon: Tensor, t: Tensor) -> Tensor:
        """Return x_tn1, (B, 2)."""
        if NOISY not in self.own:
            return self._reference.noisy_sample(x_0, epsilon, t)
        return self._answer(self.asking.noisy_sample(_once(x_0), _once(epsilon), _once(t)), x_0)

    def teacher_ode_step(self, x_tn1: Tensor, t_n1: Tensor, t_n: Tensor) -> Tensor:
        """Return x_hat_tn, (B, 2)."""
        if STEP not in self.own:
            return self._reference.teacher_ode_step(x_tn1, t_n1, t_n)
        return self._answer(self.asking.teacher_ode_step(_once(x_tn1), _once(t_n1), _once(t_n)), x_tn1)

    def gradient(self, online: Tensor, target: Tensor, points: Points) -> Tensor:
        """Return the loss's gradient by online."""
        if LOSS not in self.own:
            return self._reference.gradient(online, target, points)
        at = tuple(map(_once, (points.x_tn1, points.t_n1, points.x_hat_tn, points.t_n)))
        return self._answer(self.asking.gradient(_once(online), _once(target), at), online)

    def ema_update(self, online: Tensor, target: Tensor, decay: float) -> Tensor:
        """Return the new target."""
        if AVERAGE not in self.own:
            return self._reference.ema_update(online, target, decay)
        return self._answer(self.asking.ema_update(_once(online), _once(target), decay), target)

    def _answer(self, call: Call, like: Tensor) -> Tensor:
        try:
            ((answer,),) = self.student.rounds([call], 1)
        except CheckFailed as failure:
            raise in_training(failure) from None
        return answer_of(call, answer, like)


def _once(value: Tensor) -> Rows:
    return Rows(value[None])


@dataclass(frozen=True)
class Networks:
    """What the functions are asked with: the teacher, and kinds and options, as in student.Model, of the other two.

    `compared` are online and target of the loss, `averaged` those of ema_update.
    """

    teacher: Model
    compared: tuple[str, dict[str, Any]]
    averaged: tuple[str, dict[str, Any]]

    @classmethod
    def of_notebook(cls, recipe: Recipe, teacher: dict[str, Tensor]) -> Networks:
        """Return those that the notebook trains; `teacher` is a state dict."""
        both = "ConsistencyModel", {"hidden_dim": recipe.hidden_dim, "sigma_min": recipe.sigma_min}
        return cls(frozen("ToyModel", {}, teacher), both, both)


def frozen(kind: str, options: dict[str, Any], state: dict[str, Tensor]) -> Model:
    """Return a teacher as it is given to teacher_ode_step, all its parameters as one vector."""
    return Model(
        kind, parameters_to_vector(state.values()), options, requires_grad=False, training=False, slot=f"teacher {kind}"
    )


class Asking:
    """Words a training's questions as calls, for one box: the teacher travels once, the other networks each time.

    `at_fault` are the functions that have lost points for something else than their value. What they do to a network
    that is not theirs to change must not cost more; of the others it is news, and spoils the training.
    """

    def __init__(self, networks: Networks, at_fault: frozenset[str] = frozenset()) -> None:
        self._networks = networks
        self._teacher = networks.teacher
        self._at_fault = at_fault

    def about(self, networks: Networks) -> Asking:
        """Return what asks with other networks."""
        return Asking(networks, self._at_fault)

    def noisy_sample(self, x_0: Rows, epsilon: Rows, t: Rows) -> Call:
        """Return the call whose value is x_tn1."""
        return Call(NOISY, (x_0, epsilon, t))

    def teacher_ode_step(self, x_tn1: Rows, t_n1: Rows, t_n: Rows) -> Call:
        """Return the call whose value is x_hat_tn."""
        teacher, self._teacher = self._teacher, replace(self._teacher, state=None)  # from now on it is in its slot
        return Call(STEP, (teacher, x_tn1, t_n1, t_n), restores=STEP in self._at_fault)

    def gradient(self, online: Rows, target: Rows, points: tuple[Rows, ...]) -> Call:
        """Return the call that leaves the gradient in online; `points` as in training.Points."""
        arguments = (*_pair(self._networks.compared, online, target), *points)
        return Call(LOSS, arguments, "gradient", backward=True, restores=LOSS in self._at_fault)

    def ema_update(self, online: Rows, target: Rows, decay: float) -> Call:
        """Return the call that changes target."""
        return Call(AVERAGE, (*_pair(self._networks.averaged, online, target), decay), "weights 1")


def _pair(sort: tuple[str, dict[str, Any]], online: Rows, target: Rows) -> tuple[Model, Model]:
    kind, options = sort
    slot = f"{kind} {options}"  # a slot holds networks of one size
    return (
        Model(kind, online, options, slot=f"online {slot}"),
        Model(kind, target, options, requires_grad=False, slot=f"target {slot}"),
    )


def answer_of(call: Call, value: object, like: Tensor) -> Tensor:
    """Return what a call answers with; raises CheckFailed when it is not a tensor like `like`, and finite."""
    if not isinstance(value, Tensor) or value.shape != like.shape or value.dtype != like.dtype:
        raise contract(f"During the training, {_what(call)} is missing, or has not its shape and type.")
    # Zero times a finite number is zero; one pass over the numbers, where isfinite takes three.
    if not float(value.sum().mul(0.0)) == 0.0 and not bool(torch.isfinite(value).all()):
        raise contract(f"During the training, {_what(call)} became NaN or infinite.")
    return value


def in_training(failure: CheckFailed) -> CheckFailed:
    """Return a failure that says that it happened in a training."""
    return CheckFailed(failure.status, f"During a training: {failure.message}")


def _what(call: Call) -> str:
    match call.report.split()[0]:
        case "gradient":
            return f"the gradient of {call.function}"
        case "weights":
            return f"the target after {call.function}"
    return f"the result of {call.function}"
