"""The student's code as the checks see it: call a function, get what came back.

`Student` turns a check's values into requests and replies into values. Where the code runs is a subclass's matter: in
a box behind a socket (session.py) or, for a stock nbgrader, in this very process (kernel.py).
"""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from autograder.explain import Place, explain
from autograder.verdict import CheckFailed, Status

State = dict[str, Tensor]


@dataclass(frozen=True)
class Model:
    """A network for an argument: built where the student's code runs, from a kind and a state dict.

    `kind` is "ToyModel" or "ConsistencyModel" as the prelude defines them, or "Affine": x W + b + t c. With `notebook`
    the class is taken as the student's notebook leaves it. The state may be one vector of all parameters. A network
    with a `slot` is kept there for later calls, which may then leave out the state.
    """

    kind: str
    state: State | Tensor | None
    options: dict[str, Any] = field(default_factory=dict)
    requires_grad: bool = True
    training: bool = True
    notebook: bool = False
    slot: str = ""


@dataclass(frozen=True)
class Call:
    """One of several calls that travel together; `report` as in `Student.call`, no probes among `arguments`."""

    function: str
    arguments: tuple[Any, ...]
    report: str
    backward: bool = False


@dataclass(frozen=True)
class Question:
    """One call of a probe: what the student's code asked, exactly as it asked it (None where it was no tensor)."""

    x: Any
    t: Any


class Probe:
    """A model for an argument whose every call is answered here, on the judge's side.

    `answer(x, t)` gets the tensors that the student's code passed and returns (B, D).
    """

    def __init__(self, answer: Callable[[Tensor, Tensor], Tensor]) -> None:
        self.questions: list[Question] = []
        self._answer = answer

    def ask(self, x: Any, t: Any) -> Tensor | None:
        """Record a question and answer it; None for one that no network could answer."""
        self.questions.append(Question(x, t))
        if (
            not isinstance(x, Tensor)
            or not isinstance(t, Tensor)
            or x.dim() != 2
            or tuple(t.shape) not in ((len(x),), (len(x), 1))
        ):
            return None
        if not x.is_floating_point() or not t.is_floating_point():
            return None
        with contextlib.suppress(RuntimeError, ValueError):
            return self._answer(x, t)
        return None


@dataclass(frozen=True)
class ModelState:
    """A network after a call, as the box reports it."""

    state: State
    requires_grad: dict[str, bool]
    grad: dict[str, Tensor | None]
    graph: bool  # a parameter hangs on an autograd graph
    replaced: bool  # a parameter is another object than before the call


@dataclass(frozen=True)
class Reply:
    """What a call returned. `arguments` are the positional arguments as they were after the call."""

    value: Any
    type: str
    requires_grad: bool
    arguments: list[Any]
    reseeded: bool
    generators: list[str]  # a digest of each global generator's state after the call


class Student(ABC):
    """The functions of one submission."""

    @abstractmethod
    def request(self, message: dict[str, Any], answer: Callable[[Any], Any]) -> Any:
        """Send a request, answering questions of probes, and return the raw reply; raises CheckFailed."""

    @abstractmethod
    def place(self, function: str) -> Place:
        """Return how to name a function and its cells to the student."""

    @abstractmethod
    def check_defined(self, function: str) -> None:
        """Raise CheckFailed when the notebook defines no such function."""

    def seconds_left(self) -> float:
        """Return how long the student's code may still run in this task; without a clock, always the same."""
        return 120.0

    def call(self, function: str, *args: Any, backward: bool = False, report: str = "all", **kwargs: Any) -> Reply:
        """Call a function of the student's.

        `backward` calls .backward() on the scalar that it returns; `report` says what to tell of the arguments as they
        are afterwards: "all", "none", or the "gradient" or the "weights" of a network as one vector ("weights 1" for
        argument 1). Raises CheckFailed for whatever the student's code does instead of returning.
        """
        self.check_defined(function)
        probes: list[Probe] = []
        message = {
            "op": "call",
            "function": function,
            "args": [_pack(argument, probes) for argument in args],
            "kwargs": {name: _pack(argument, probes) for name, argument in kwargs.items()},
            "backward": backward,
            "report": report,
        }
        return self._understood(function, self.request(message, lambda question: _answer(question, probes)))

    def calls(self, calls: Sequence[Call]) -> list[Reply]:
        """Make calls one after the other in one message; raises CheckFailed for the first that fails."""
        for function in {call.function for call in calls}:
            self.check_defined(function)
        vectors: dict[int, Tensor] = {}  # by their id: the same weights are asked about more than once
        messages = [
            {
                "function": call.function,
                "args": [_refer(_pack(argument, []), vectors) for argument in call.arguments],
                "kwargs": {},
                "backward": call.backward,
                "report": call.report,
            }
            for call in calls
        ]
        raw = self.request({"op": "calls", "calls": messages, "vectors": list(vectors.values())}, _nothing)
        replies = raw if isinstance(raw, list) else []
        understood = [self._understood(call.function, reply) for call, reply in zip(calls, replies, strict=False)]
        if len(understood) != len(calls):
            raise CheckFailed(Status.CRASH, "The answer that came back is no answer of these function calls.")
        return understood

    def _understood(self, function: str, raw: Any) -> Reply:
        place = self.place(function)
        try:
            if raw["failure"] is None:
                return _reply(raw)
            failed = explain(raw["failure"], place)
        except (KeyError, TypeError, ValueError, AttributeError):
            failed = CheckFailed(
                Status.CRASH, f"{place.what}: the answer that came back is no answer of a function call."
            )
        raise failed

    def seed(self, seed: int) -> None:
        """Seed the global generators where the student's code runs."""
        self.request({"op": "seed", "seed": seed}, _nothing)


def _nothing(question: Any) -> None:
    return None


def _pack(argument: Any, probes: list[Probe]) -> dict[str, Any]:
    if isinstance(argument, Probe):
        probes.append(argument)
        return {"probe": len(probes) - 1}
    if isinstance(argument, Model):
        description = {name: getattr(argument, name) for name in argument.__dataclass_fields__}
        return {"model": description}
    return {"value": argument}


def _refer(packed: dict[str, Any], vectors: dict[int, Tensor]) -> dict[str, Any]:
    """Put the place among `vectors` where a network's weights were, so that each vector travels once."""
    weights = packed["model"]["state"] if "model" in packed else None
    if isinstance(weights, Tensor):
        vectors.setdefault(id(weights), weights)
        packed["model"]["state"] = list(vectors).index(id(weights))
    return packed


def _answer(question: Any, probes: list[Probe]) -> Any:
    number = question["probe"]
    if type(number) is not int or not 0 <= number < len(probes):
        return None
    return probes[number].ask(question["x"], question["t"])


def _reply(raw: dict[str, Any]) -> Reply:
    """Return a reply whose fields have the types that checks rely on, whatever the box has sent."""
    arguments = raw["arguments"]
    if not isinstance(arguments, list):
        raise TypeError("arguments")
    return Reply(
        value=raw["value"],
        type=_word(raw["type"]),
        requires_grad=raw["requires_grad"] is True,
        arguments=[_argument(argument) for argument in arguments],
        reseeded=raw["reseeded"] is True,
        generators=[_word(digest) for digest in raw["generators"]],
    )


def _word(text: Any) -> str:
    kept = "".join(character for character in str(text)[:40] if character.isalnum() or character in "_.")
    return kept or "unknown"


def _argument(raw: Any) -> Any:
    if not (isinstance(raw, dict) and "requires_grad" in raw and "state" in raw):
        return raw
    state, grad = raw["state"], raw["grad"]
    return ModelState(
        state={name: value for name, value in state.items() if isinstance(value, Tensor)},
        requires_grad={name: value is True for name, value in raw["requires_grad"].items()},
        grad={name: value if isinstance(value, Tensor) else None for name, value in grad.items()},
        graph=raw["graph"] is True,
        replaced=raw["replaced"] is True,
    )
