"""A small concrete case for a student whose values are wrong: inputs and their own output, three decimals.

Only where the course allows it (`feedback = "example"`). The cases are written down here and are no hidden check's
input; they show what the student's code does, never what it should have done.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from autograder.checking.student import Model, ModelState, Probe, Student
from autograder.verdict import CheckFailed

X_0 = torch.tensor([[1.0, 2.0], [-1.0, 0.5]])
EPSILON = torch.tensor([[0.5, -1.0], [2.0, 1.0]])
T_N1, T_N = torch.tensor([0.8, 0.4]), torch.tensor([0.6, 0.1])


def example(task: str, student: Student) -> str:
    """Return a sentence with a small case of that task; empty where there is none, or the code fails on it."""
    show = _CASES.get(task)
    try:
        return show(student) if show is not None else ""
    except CheckFailed:
        return ""


def _noisy_sample(student: Student) -> str:
    got = student.call("noisy_sample", X_0, EPSILON, T_N1).value
    return f"A small case: x_0 = {_text(X_0)}, epsilon = {_text(EPSILON)} and t = {_text(T_N1)} give {_text(got)}."


def _teacher_ode_step(student: Student) -> str:
    velocity = torch.tensor([[1.0, -2.0], [0.5, 3.0]])
    got = student.call("teacher_ode_step", Probe(lambda x, t: velocity[: len(x)]), X_0, T_N1, T_N).value
    return (
        f"A small case: x_tn1 = {_text(X_0)}, t_n1 = {_text(T_N1)}, t_n = {_text(T_N)} and a teacher that answers "
        f"{_text(velocity)} give {_text(got)}."
    )


def _loss(student: Student) -> str:
    online, target = torch.tensor([[1.0, 0.0], [2.0, 1.0]]), torch.tensor([[0.0, 0.0], [2.0, 4.0]])
    got = student.call(
        "consistency_distillation_loss",
        *(Probe(lambda x, t: online), Probe(lambda x, t: target)),
        *(X_0, T_N1, EPSILON, T_N),
    ).value
    return (
        f"A small case: online answers {_text(online)}, target answers {_text(target)}, and the loss is {_text(got)}."
    )


def _ema_update(student: Student) -> str:
    def network(value: float, asks: bool) -> Model:
        numbers = torch.full((1,), value)
        state = {"weight": numbers.reshape(1, 1), "bias": numbers, "slope": numbers}
        return Model("Affine", state, {"dimension": 1}, requires_grad=asks)

    reply = student.call("ema_update", network(4.0, True), network(2.0, False), 0.75)
    after = reply.arguments[1] if len(reply.arguments) > 1 else None
    got = after.state.get("bias") if isinstance(after, ModelState) else None
    return f"A small case: a parameter is 4 in online, 2 in target, decay is 0.75; the target's becomes {_text(got)}."


def _sampler(student: Student) -> str:
    probe = Probe(lambda x, t: torch.zeros_like(x))
    student.call("sample_consistency_multistep", probe, 1, 3)
    asked = [float(question.t.reshape(-1)[0]) for question in probe.questions if _is_time(question.t)]
    return f"A small case: with n_steps = 3 your sampler asks the model at the times {_text(torch.tensor(asked))}."


def _pair(student: Student) -> str:
    got = student.call("consistency_training_pair", X_0, EPSILON, T_N1, T_N).value
    both = got if isinstance(got, tuple | list) else (got,)
    return (
        f"A small case: x_0 = {_text(X_0)}, epsilon = {_text(EPSILON)}, t_n1 = {_text(T_N1)} and t_n = {_text(T_N)} "
        f"give {' and '.join(_text(value) for value in both[:2])}."
    )


def _is_time(value: object) -> bool:
    return isinstance(value, Tensor) and value.numel() > 0


def _text(value: object) -> str:
    """Return a small tensor as nested brackets with three decimals."""
    if not isinstance(value, Tensor) or value.numel() > 8:
        return "something else than a small tensor"
    return str(_nested(value.tolist()))


def _nested(numbers: object) -> object:
    if isinstance(numbers, list):
        return [_nested(number) for number in numbers]
    return round(numbers, 3) if isinstance(numbers, float) else numbers


_CASES: dict[str, Callable[[Student], str]] = {
    "noisy_sample": _noisy_sample,
    "teacher_ode_step": _teacher_ode_step,
    "consistency_distillation_loss": _loss,
    "ema_update": _ema_update,
    "sample_consistency_multistep": _sampler,
    "consistency_training_pair": _pair,
}
