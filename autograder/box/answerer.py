"""Runs a student's cells and answers the judge's calls, in the process that holds the student's code.

The same code serves the box, where the judge sits behind a socket, and a stock nbgrader's kernel, where it does not.
Whatever this file says about the student's code can be rewritten by that code; the judge trusts none of it.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy
import torch
from torch import Tensor, nn

from autograder.box.cells import Cells, Failed
from autograder.box.defaults import Defaults
from autograder.box.failures import CellTooSlow, cell_name, describe_failure
from autograder.box.generators import digests, set_anew, twisters_now
from autograder.box.messages import (
    MOST_FAILURES,
    Answers,
    CallFunction,
    CallRounds,
    CellRan,
    Defines,
    Done,
    Evaluate,
    Failure,
    Model,
    ProbeModel,
    ProbeQuestion,
    Question,
    Reply,
    Request,
    RoundFailed,
    RunCell,
    Seed,
    StandIn,
    StandInQuestion,
    StatementFailed,
    Undefined,
    YesNo,
)
from autograder.box.models import Probe, build_model, describe_model, gradients_on
from autograder.box.rounds import Rounds
from autograder.box.schema import word_of
from autograder.box.stand_ins import StandIns

Ask = Callable[[Question], Any]
MAX_ITEMS = 10_000
MAX_NESTING = 4
LONGEST_NAME = 200


class Answerer:
    """Holds the student's namespace and answers calls of its functions."""

    def __init__(
        self,
        namespace: dict[str, Any],
        ask: Ask,
        classes: dict[str, Any] | None = None,
        elsewhere: list[str] | None = None,
        functions: list[str] | None = None,
    ) -> None:
        self.namespace = namespace
        self._functions = dict.fromkeys(functions or [])  # what each name of a task's function held after the last cell
        self.ask = ask
        self._elsewhere = elsewhere
        self.classes = dict(classes if classes is not None else namespace)  # as the prelude made them
        self._stand_ins = StandIns(namespace, self._ask_for_stand_in)
        self._defaults = Defaults()
        self._rounds = Rounds(namespace, self.classes, _plain, self._defaults)

    @cached_property
    def _cells(self) -> Cells[Failure]:
        return Cells(self.namespace, describe_failure, CellTooSlow, self._elsewhere)  # in a kernel there is none

    def answer(self, request: Request[Any]) -> Any:
        """Do what a request asks, and return the reply."""
        match request:
            case RunCell():
                return self.run_cell(request)
            case CallFunction():
                return self.call(request)
            case CallRounds():
                return self.call_rounds(request)
            case Evaluate():
                return self.evaluate(request)
            case Defines():
                return YesNo(request.name in self.namespace)
            case Seed():
                self.seed(request.seed)
            case StandIn():
                self._stand_ins.add(request.function, request.parameters)
            case _:
                raise ValueError(f"unknown request {type(request).__name__}")
        return Done()

    def run_cell(self, request: RunCell) -> CellRan:
        """Run one cell of the student's, until its time is over; an exception is described, not raised."""
        source = request.source.decode("utf-8", "surrogatepass")
        with CellTooSlow.after(request.seconds):
            try:
                found = self._cells.run(cell_name(request.number), source)
                ran = CellRan([_told(failed) for failed in found.failures[:MOST_FAILURES]], found.unrun, [])
            except CellTooSlow as error:
                ran = CellRan([StatementFailed(describe_failure(error), [])], [], [])
        return CellRan(ran.failures, ran.unrun, self._newly_defined())

    def _newly_defined(self) -> list[str]:
        """Return the tasks' functions whose names hold another callable than before."""
        now = {name: self.namespace.get(name) for name in self._functions}
        new = [name for name, value in now.items() if callable(value) and value is not self._functions[name]]
        self._functions.update({name: now[name] for name in new})
        return new

    def seed(self, seed: int) -> None:
        """Seed the global generators: torch, numpy and random."""
        torch.default_generator.manual_seed(seed)  # torch.manual_seed also notes, with a trace, what no GPU will hear
        numpy.random.seed(seed % 2**32)
        random.seed(seed)

    def call(self, request: CallFunction) -> Reply | Failure | Undefined:
        """Call a function of the student's; an exception is described, not raised."""
        function = self.namespace.get(request.function)
        return self._called(function, request) if callable(function) else Undefined()

    def evaluate(self, request: Evaluate) -> Reply | Failure:
        """Call a network, which may be of a class of the student's."""
        return self._called(_evaluate, CallFunction(request.about, [request.model, *request.arguments], {}))

    def call_rounds(self, request: CallRounds) -> Answers | RoundFailed:
        """Make many calls that travel together."""
        with self._stand_ins.put_for_a_call():
            return self._rounds.answer(request)

    def _called(self, function: Callable[..., Any], request: CallFunction) -> Reply | Failure:
        try:
            self._defaults.put_back()
            with gradients_on():
                arguments = [self._build(item) for item in request.arguments]
                keywords = {name: self._build(item) for name, item in request.keywords.items()}
            identities = [_identities(argument) for argument in arguments]
            seed = torch.initial_seed()  # changes when seeded again, not when drawn from
            twisters = twisters_now() if request.generators else None
            with gradients_on(), self._stand_ins.put_for_a_call():
                value = function(*arguments, **keywords)
                switched_off = not torch.is_grad_enabled()
            if request.backward and isinstance(value, Tensor) and value.requires_grad:
                with gradients_on():
                    value.sum().backward()
            return Reply(
                value=_plain(value),
                type=_type_name(value),
                requires_grad=bool(isinstance(value, Tensor) and value.requires_grad),
                arguments=[_after(argument, before) for argument, before in zip(arguments, identities, strict=True)],
                reseeded=bool(torch.initial_seed() != seed or (twisters is not None and set_anew(*twisters))),
                gradients_off=switched_off,
                generators=digests() if request.generators else [],
            )
        except BaseException as error:  # of reading the result too: a view of one number can claim a terabyte
            return describe_failure(error)

    def _build(self, item: Any) -> Any:
        if type(item) is ProbeModel:
            return Probe(self._asker(item), item.parameters)
        if type(item) is Model:
            return build_model(item, self.namespace if item.notebook else self.classes)
        return item

    def _asker(self, probe: ProbeModel) -> Callable[..., Tensor]:
        def question(*arguments: Any) -> Tensor:
            return _answered(self.ask(ProbeQuestion(probe.number, [_plain(value) for value in arguments])), probe.takes)

        return question

    def _ask_for_stand_in(self, function: str, *arguments: Any) -> Tensor:
        return _answered(self.ask(StandInQuestion(function, [_plain(value) for value in arguments])), "an odd call")


def _told(failed: Failed[Failure]) -> StatementFailed:
    names = sorted(name for name in failed.names if len(name) <= LONGEST_NAME)
    return StatementFailed(failed.why, names[:MAX_ITEMS])


def only_here(pid: int) -> None:
    """End a forked copy of the box that came back from the student's code: it must not answer in our place."""
    if os.getpid() != pid:
        os._exit(0)


def _answered(answer: Any, takes: str) -> Tensor:
    if not isinstance(answer, Tensor):
        raise TypeError(takes)
    return answer


def _evaluate(model: nn.Module, *arguments: Any) -> Tensor:
    with torch.no_grad():
        value: Tensor = model(*arguments)
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
    return "Tensor" if _is_of_own_class(type(value)) else word_of(str(type(value).__name__))


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
