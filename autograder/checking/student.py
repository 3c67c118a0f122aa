"""The student's code as the checks see it: call a function, get what came back.

`Student` turns a check's values into requests and replies into values. Where the code runs is a subclass's matter: in
a box behind a socket (session.py) or, for a stock nbgrader, in this very process (kernel.py).
"""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from autograder.box.messages import Model as Model
from autograder.box.messages import Rows as Rows
from autograder.box.messages import State
from autograder.checking.exception_text import Place, explain
from autograder.verdict import CheckFailed, Status

MOST_COLUMNS = 4  # of an answer in rounds: a pair has two


@dataclass(frozen=True)
class Call:
    """One of several calls that are made in every round: no probes among `arguments`, and only rows differ.

    It answers with its value, or as `report` says: with the "gradient" or the "weights" of a network as one vector
    ("weights 1" for argument 1). With `restores` what the function does to its networks is undone when it returns.
    """

    function: str
    arguments: tuple[Any, ...]
    report: str = "none"
    backward: bool = False
    restores: bool = False


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
    reseeded: bool  # numpy's and Python's generators, where these were asked about; torch's always
    gradients_off: bool  # the call has left them switched off for whatever would have come after it
    generators: list[str]  # a digest of each global generator's state after the call, where asked about


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

    def call(self, function: str, *args: Any, backward: bool = False, generators: bool = False, **kwargs: Any) -> Reply:
        """Call a function of the student's.

        `backward` calls .backward() on the scalar that it returns; `generators` tells where the global generators stand
        afterwards. Raises CheckFailed for whatever the student's code does instead of returning.
        """
        self.check_defined(function)
        probes: list[Probe] = []
        message = {
            "op": "call",
            "function": function,
            "args": [_pack(argument, probes) for argument in args],
            "kwargs": {name: _pack(argument, probes) for name, argument in kwargs.items()},
            "backward": backward,
            "generators": generators,
        }
        return self._understood(function, self.request(message, lambda question: _answer(question, probes)))

    def rounds(self, calls: Sequence[Call], count: int) -> list[Sequence[Any]]:
        """Make calls one after the other, `count` times over, in one message, and return the answers of each call.

        There are `count` of them each: rows of one tensor where they are alike. Raises CheckFailed for the first that
        fails.
        """
        for call in calls:
            self.check_defined(call.function)
        stacks: dict[int, Tensor] = {}  # by their id: the same rows are asked about more than once
        messages = [
            {
                "function": call.function,
                "args": [_refer(_pack(argument, []), stacks) for argument in call.arguments],
                "backward": call.backward,
                "report": call.report,
                "restores": call.restores,
            }
            for call in calls
        ]
        raw = self.request(
            {"op": "rounds", "count": count, "calls": messages, "stacks": list(stacks.values())}, _nothing
        )
        if raw["failure"] is not None:
            number = raw.get("call")
            blamed = calls[number] if type(number) is int and 0 <= number < len(calls) else calls[0]
            raise self._failed(blamed.function, raw["failure"])
        # Counted before they are taken apart: of a column of millions each row would be a tensor here.
        answers = [_in_rounds(found, count) for found in raw["answers"][: len(calls)]]
        if len(raw["answers"]) != len(calls) or not all(_has_length(found, count) for found in answers):
            raise CheckFailed(Status.CRASH, "The answer that came back is no answer of these function calls.")
        return answers

    def _understood(self, function: str, raw: Any) -> Reply:
        try:
            if raw["failure"] is None:
                return _reply(raw)
        except (KeyError, TypeError, ValueError, AttributeError):
            raise self._failed(function, None) from None
        raise self._failed(function, raw["failure"])

    def _failed(self, function: str, failure: Any) -> CheckFailed:
        """Return what an exception that the box described means; a crash where the description is none."""
        place = self.place(function)
        with contextlib.suppress(KeyError, TypeError, ValueError, AttributeError):
            return explain(failure, place)
        return CheckFailed(Status.CRASH, f"{place.what}: the answer that came back is no answer of a function call.")

    def stand_in(self, function: str) -> None:
        """Let the judge answer calls that other functions make of this one, which has lost its points by itself."""
        self.request({"op": "stand_in", "function": function}, _nothing)

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


def _refer(packed: dict[str, Any], stacks: dict[int, Tensor]) -> dict[str, Any]:
    """Put the place among `stacks` where rows were, so that each stack travels once."""
    if isinstance(packed.get("value"), Rows):
        return {"rows": _place(packed["value"], stacks)}
    if "model" in packed and isinstance(packed["model"]["state"], Rows):
        packed["model"]["state"] = {"rows": _place(packed["model"]["state"], stacks)}
    return packed


def _place(rows: Rows, stacks: dict[int, Tensor]) -> list[int]:
    stacks.setdefault(id(rows.stack), rows.stack)
    return [list(stacks).index(id(rows.stack)), rows.first]


def _in_rounds(answers: Any, count: int) -> Any:
    """Return a call's answers one by one where they came as a few columns of `count` rows; anything else as it is."""
    columns = answers.get("columns") if type(answers) is dict else None
    if not isinstance(columns, list) or len(columns) > MOST_COLUMNS:
        return answers
    if not all(isinstance(column, Tensor) and _has_length(column, count) for column in columns):
        return answers
    return list(zip(*columns, strict=True))


def _has_length(answers: Any, count: int) -> bool:
    return (isinstance(answers, list) or (isinstance(answers, Tensor) and answers.dim() > 0)) and len(answers) == count


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
        gradients_off=raw["gradients_off"] is True,
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
