"""Runs a student's cells and answers the judge's calls, in the process that holds the student's code.

The same code serves the box, where the judge sits behind a socket, and a stock nbgrader's kernel, where it does not.
Whatever this file says about the student's code can be rewritten by that code; the judge trusts none of it.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from typing import Any

import numpy
import torch
from torch import Tensor, nn

from autograder.box.cells import Cells
from autograder.box.failures import CellTooSlow, describe_failure
from autograder.box.generators import digests, set_anew, twisters_now
from autograder.box.models import Probe, as_given, build_model, describe_model, gradients_on
from autograder.box.rounds import Rounds
from autograder.box.stand_ins import StandIns

Ask = Callable[[dict[str, Any]], Any]
MAX_ITEMS = 10_000
MAX_NESTING = 4
STAND_IN = -1  # the number of questions that a stand-in asks; those of probes begin at 0


class Answerer:
    """Holds the student's namespace and answers calls of its functions."""

    def __init__(
        self,
        namespace: dict[str, Any],
        ask: Ask,
        classes: dict[str, Any] | None = None,
        elsewhere: list[str] | None = None,
    ) -> None:
        self.namespace = namespace
        self.ask = ask
        self.classes = dict(classes if classes is not None else namespace)  # as the prelude made them
        self._cells = Cells(namespace, elsewhere or [])
        self.stand_ins = StandIns(namespace, _asker(ask, STAND_IN))
        self._rounds = Rounds(namespace, self.classes, _plain)

    def run_cell(self, number: int, source: str) -> dict[str, Any]:
        """Run one cell of the student's; an exception is described, not raised."""
        started = time.monotonic()
        failure = None
        try:
            self._cells.run(number, source)
        except BaseException as error:
            failure = describe_failure(error)
        self.stand_ins.put()  # at once: a later cell may keep the function under another name
        return {"failure": failure, "seconds": time.monotonic() - started}

    def names(self, wanted: list[str]) -> dict[str, bool]:
        """Return which of the wanted functions exist."""
        return {name: callable(self.namespace.get(name)) for name in wanted}

    def seed(self, seed: int) -> None:
        """Seed the global generators: torch, numpy and random."""
        torch.default_generator.manual_seed(seed)  # torch.manual_seed also notes, with a trace, what no GPU will hear
        numpy.random.seed(seed % 2**32)
        random.seed(seed)

    def call(self, request: dict[str, Any]) -> dict[str, Any]:
        """Call a function of the student's; an exception is described, not raised."""
        probes: list[Probe] = []
        arguments = [self._build(item, probes) for item in request["args"]]
        keywords = {name: self._build(item, probes) for name, item in request["kwargs"].items()}
        identities = [_identities(argument) for argument in arguments]
        function = self._function(request["function"])
        seed = torch.initial_seed()  # changes when seeded again, not when drawn from
        twisters = twisters_now() if request["generators"] else None
        try:
            with gradients_on(), self.stand_ins.put_for_a_call():
                value = function(*arguments, **keywords)
                switched_off = not torch.is_grad_enabled()
            if request["backward"] and isinstance(value, Tensor) and value.requires_grad:
                with gradients_on():
                    value.sum().backward()
            return {
                "failure": None,
                "value": _plain(value),
                "type": _type_name(value),
                "requires_grad": bool(isinstance(value, Tensor) and value.requires_grad),
                "arguments": [_after(argument, before) for argument, before in zip(arguments, identities, strict=True)],
                "reseeded": torch.initial_seed() != seed or (twisters is not None and set_anew(*twisters)),
                "gradients_off": switched_off,
                "generators": digests() if request["generators"] else [],
            }
        except BaseException as error:  # of reading the result too: a view of one number can claim a terabyte
            return {"failure": describe_failure(error)}

    def call_rounds(self, request: dict[str, Any]) -> dict[str, Any]:
        """Make many calls that travel together."""
        with self.stand_ins.put_for_a_call():
            return self._rounds.answer(request)

    def _function(self, name: str) -> Callable[..., Any]:
        if name == "notebook:model":  # the boundary condition: a model of the notebook's own class, as it is now
            return _evaluate
        function: Callable[..., Any] = self.namespace[name]
        return function

    def _build(self, item: dict[str, Any], probes: list[Probe]) -> Any:
        if "probe" in item:
            with as_given():
                probes.append(Probe(_asker(self.ask, item["probe"])))
            return probes[-1]
        if "model" in item:
            description = item["model"]
            return build_model(description, self.namespace if description["notebook"] else self.classes)
        return item["value"]


def run_cells_limited(answerer: Answerer, number: int, source: str, seconds: float) -> dict[str, Any]:
    """Run a cell that is cut short after `seconds` by an exception raised in it."""
    with CellTooSlow.after(seconds):
        return answerer.run_cell(number, source)


def only_here(pid: int) -> None:
    """End a forked copy of the box that came back from the student's code: it must not answer in our place."""
    if os.getpid() != pid:
        os._exit(0)


def _asker(ask: Ask, probe: int) -> Callable[[Any, Any], Tensor]:
    def question(x: Any, t: Any) -> Tensor:
        answer = ask({"probe": probe, "x": _plain(x), "t": _plain(t)})
        if not isinstance(answer, Tensor):
            raise TypeError("the model takes x of shape (batch, dimension) and t of shape (batch,) or (batch, 1)")
        return answer

    return question


def _evaluate(model: nn.Module, x: Tensor, t: Tensor) -> Tensor:
    with torch.no_grad():
        value: Tensor = model(x, t)
        return value


def _identities(argument: Any) -> dict[str, int]:
    if isinstance(argument, nn.Module):
        return {name: id(parameter) for name, parameter in argument.named_parameters()}
    return {}


def _after(argument: Any, before: dict[str, int]) -> Any:
    if isinstance(argument, Probe):
        return None
    if isinstance(argument, nn.Module):
        return describe_model(argument, before)
    return _plain(argument)


def _type_name(value: Any) -> str:
    return "Tensor" if _is_of_own_class(type(value)) else str(type(value).__name__)[:80]


def _is_of_own_class(kind: type) -> bool:
    """Say whether this is a subclass of Tensor; a parameter is none of the student's own."""
    return kind is not Tensor and kind is not nn.Parameter and issubclass(kind, Tensor)


def _plain(value: Any, depth: int = 0) -> Any:
    """Return a copy that can cross the wire; None for what cannot. Only exact types count: a subclass may lie.

    A tensor of a class of its own is read as the numbers that it holds, whatever that class makes of torch's functions.
    Named tuples and their like are read as what they are made of, whatever they say of themselves.
    """
    kind = type(value)
    if isinstance(value, tuple) and kind is not tuple:
        kind, value = tuple, tuple(tuple.__iter__(value))
    if _is_of_own_class(kind):
        kind, value = Tensor, Tensor.as_subclass(value, Tensor)  # torch asks no class about this
    if value is None or kind in (bool, float):
        return value
    if kind is int:
        return value if abs(value) < 2**63 else None
    if kind is str:
        return value[:MAX_ITEMS]
    if kind is Tensor or kind is nn.Parameter:
        if value.layout is not torch.strided or value.is_quantized or value.is_complex() or value.is_meta:
            return None
        copy = value.detach().clone()
        return copy if type(copy) is Tensor else None  # some classes hold no numbers of their own
    if kind in (list, tuple) and depth < MAX_NESTING and len(value) <= MAX_ITEMS:
        return kind(_plain(item, depth + 1) for item in value)
    if kind is dict and depth < MAX_NESTING and len(value) <= MAX_ITEMS:
        return {str(key): _plain(item, depth + 1) for key, item in value.items()}
    return None
