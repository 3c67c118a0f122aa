"""Answers many calls that travel together: the questions of a training, each function once a round.

What differs from one round to the next are rows of stacked tensors, and what a call answers is stacked again. So a
message of many rounds is a dozen tensors. The networks are kept from one message to the next.

A network stays as a function has left it until other weights come for it, so what spoils one shows in the answers.
But a call that `restores` has lost points for that by itself: it leaves its networks as they were given.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from autograder.box.defaults import Defaults
from autograder.box.failures import describe_failure
from autograder.box.messages import (
    MOST_COLUMNS,
    Answers,
    Call,
    CallRounds,
    Columns,
    Model,
    RoundFailed,
    RowsAt,
    Undefined,
)
from autograder.box.models import build_model, gradients_on, parameters_of, set_flags, vector_of


class Rounds:
    """Makes the calls of a message. `plain` makes a value one that can cross the wire."""

    def __init__(
        self, namespace: dict[str, Any], classes: dict[str, Any], plain: Callable[[Any], Any], defaults: Defaults
    ) -> None:
        self._namespace = namespace
        self._classes = classes
        self._plain = plain
        self._defaults = defaults
        self._networks: dict[str, Network] = {}

    def answer(self, request: CallRounds) -> Answers | RoundFailed:
        """Make each call in every round, up to the first that fails, whose number is told with its failure."""
        for number, call in enumerate(request.calls):
            if not callable(self._namespace.get(call.function)):
                return RoundFailed(Undefined(), number)
        answers: list[list[Any]] = [[] for _ in request.calls]
        for row in range(request.count):
            for number, call in enumerate(request.calls):
                try:
                    answers[number].append(self._ask(call, request.stacks, row))
                except BaseException as error:
                    return RoundFailed(describe_failure(error), number)
        return Answers([_stacked(found) for found in answers])

    def _ask(self, call: Call, stacks: list[Tensor], row: int) -> Any:
        self._defaults.put_back()
        with gradients_on():
            arguments = [self._argument(item, stacks, row) for item in call.arguments]
            value = self._namespace[call.function](*arguments)
        if call.restores:
            self._restore(call)
        if call.backward and isinstance(value, Tensor) and value.requires_grad:
            with gradients_on():
                (value.sum() if value.dim() else value).backward()
        what, _, index = call.report.partition(" ")
        return self._plain(value) if what == "none" else vector_of(arguments[int(index or 0)], what)

    def _argument(self, item: Any, stacks: list[Tensor], row: int) -> Any:
        if type(item) is RowsAt:
            return _row(item, stacks, row).clone()  # a function may write into it: other calls see it as it was
        if type(item) is not Model:
            return item
        state: Any = _row(item.state, stacks, row) if type(item.state) is RowsAt else item.state
        if item.slot not in self._networks:
            self._networks[item.slot] = Network(build_model(replace(item, state=state), self._classes))
        elif state is not None:
            self._networks[item.slot].load(state)
        # What an earlier call did to the flags has cost its points, and must not stop a training.
        set_flags(self._networks[item.slot].model, item.requires_grad)
        return self._networks[item.slot].model

    def _restore(self, call: Call) -> None:
        for item in call.arguments:
            if type(item) is Model:
                self._networks[item.slot].restore()


class Network:
    """A network whose parameters are parts of one vector, so that loading them is one copy."""

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        parameters = parameters_of(model)
        self._vector = torch.cat([parameter.detach().reshape(-1) for parameter in parameters])
        pieces = self._vector.split([parameter.numel() for parameter in parameters])
        self._pieces = [piece.view_as(parameter) for piece, parameter in zip(pieces, parameters, strict=True)]
        self.load(self._vector.clone())

    def restore(self) -> None:
        """Make the weights again what they were loaded as."""
        self.load(self._loaded)

    def load(self, weights: Tensor) -> None:
        """Make these the weights, whatever a function has put in their place, without gradients."""
        self._loaded = weights
        self._vector.copy_(weights)
        for parameter, piece in zip(parameters_of(self.model), self._pieces, strict=True):
            parameter.data = piece
            parameter.grad = None


def _row(place: RowsAt, stacks: list[Tensor], row: int) -> Tensor:
    return stacks[place.stack][place.first + row]


def _stacked(values: list[Any]) -> Any:
    """Return tensors that are alike as one, and tuples of such tensors as a column for each place.

    Else the list, for the judge to say what is wrong with it.
    """
    if all(type(value) in (tuple, list) for value in values) and len({len(value) for value in values}) == 1:
        columns = [column for column in map(_stack, zip(*values, strict=True)) if column is not None]
        return Columns(columns) if 0 < len(columns) == len(values[0]) <= MOST_COLUMNS else values
    stack = _stack(values)
    return values if stack is None else stack


def _stack(values: Sequence[Any]) -> Tensor | None:
    kinds = {(value.shape, value.dtype) if type(value) is Tensor else None for value in values}
    return torch.stack(tuple(values)) if len(kinds) == 1 and None not in kinds else None
