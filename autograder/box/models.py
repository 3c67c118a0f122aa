"""The models that the judge hands to a student's functions: probes, affine maps, and the notebook's own classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


class Affine(nn.Module):
    """f(x, t) = x W + b + t c for x (B, D) and t (B,) or (B, 1): every derivative has a closed form."""

    def __init__(self, dimension: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(dimension, dimension))
        self.bias = nn.Parameter(torch.zeros(dimension))
        self.slope = nn.Parameter(torch.zeros(dimension))

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        """Return (B, D)."""
        return x @ self.weight + self.bias + t.reshape(-1, 1) * self.slope


class Probe(nn.Module):
    """A model whose every call is answered by the judge; it has a parameter, as a network has."""

    def __init__(self, ask: Callable[[Any, Any], Tensor]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))
        self.calls = 0
        self._ask = ask

    @property
    def device(self) -> torch.device:
        """Where a network of the notebook would live."""
        return self.weight.device

    def forward(self, x: Any, t: Any) -> Tensor:
        """Ask the judge; the answer depends on a parameter, so a forgotten no_grad shows."""
        self.calls += 1
        answer = self._ask(x, t)
        return answer + 0.0 * self.weight


def build_model(description: dict[str, Any], classes: dict[str, Any]) -> nn.Module:
    """Return the described model; `classes` holds ToyModel and ConsistencyModel."""
    kind, options = description["kind"], description["options"]
    model: nn.Module = Affine(**options) if kind == "Affine" else classes[kind](**options)
    load_state(model, description["state"])
    for parameter in model.parameters():
        parameter.requires_grad_(description["requires_grad"])
    return model.train(description["training"])


def load_state(model: nn.Module, state: dict[str, Tensor]) -> None:
    """Copy a state dict into a model by name, without a trace in autograd."""
    with torch.no_grad():
        for name, value in model.state_dict(keep_vars=True).items():
            value.copy_(state[name])
            value.grad = None


def describe_model(model: nn.Module, before: dict[str, int], report: str) -> dict[str, Any]:
    """Return what the judge wants to know of a model after a call; `before` maps names to ids of parameters."""
    parameters = dict(model.named_parameters())
    state = {name: value.detach().clone() for name, value in model.state_dict().items()} if report != "grad" else {}
    grad = {name: None if p.grad is None else p.grad.detach().clone() for name, p in parameters.items()} if report != "state" else {}
    return {
        "state": state,
        "requires_grad": {name: p.requires_grad for name, p in parameters.items()} if report == "all" else {},
        "grad": grad,
        "graph": any(p.grad_fn is not None for p in parameters.values()),
        "replaced": any(id(p) != before.get(name) for name, p in parameters.items()),
    }
