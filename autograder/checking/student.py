"""The student's code as the checks see it: call a function, get what came back.

`Student` turns a check's values into requests and replies into values. Where the code runs is a subclass's matter: in
a box behind a socket (judge/session.py) or, for a stock nbgrader, in this very process (nbgrader_host/kernel.py).
"""

import contextlib
import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from autograder.box import messages
from autograder.box.messages import Call as Call
from autograder.box.messages import Model as Model
from autograder.box.messages import ModelState as ModelState
from autograder.box.messages import R, Request
from autograder.box.messages import Reply as Reply
from autograder.box.messages import Rows as Rows
from autograder.checking.exception_text import Place, explain
from autograder.verdict import CheckFailed, Status

Answering = Callable[[messages.Question], Tensor | None]


@dataclass(frozen=True)
class Question:
    """One call of a probe: the tensors that the student's code passed; of anything else only the type, in `""` or 0."""

    x: Any
    t: Any


class Probe:
    """A model for an argument whose every call is answered here, on the judge's side.

    `answer(x, t)` gets the tensors that the student's code passed and returns (B, D).
    """

    PARAMETERS = ("x", "t")
    TAKES = "the model takes x of shape (batch, dimension) and t of shape (batch,) or (batch, 1)"

    def __init__(self, answer: Callable[[Tensor, Tensor], Tensor]) -> None:
        self.questions: list[Question] = []
        self._answer = answer

    def ask(self, x: Any = None, t: Any = None, *_: Any) -> Tensor | None:
        """Record a question and answer it; None for one that no network could answer."""
        self.questions.append(Question(_kept(x), _kept(t)))
        if (
            not isinstance(x, Tensor)
            or not isinstance(t, Tensor)
            or x.dim() != 2
            or tuple(t.shape) not in ((len(x),), (len(x), 1))
        ):
            return None
        if not x.is_floating_point() or not t.is_floating_point():
            return None
        return self._answer(x, t)


class Student(ABC):
    """The functions of one submission."""

    def __init__(self) -> None:
        self._stand_ins: dict[str, Callable[..., Tensor]] = {}
        self.stood_in = False  # a stand-in was called

    @abstractmethod
    def request(self, message: Request[R], answer: Answering) -> R:
        """Send a request, answering questions, and return the reply; raises CheckFailed."""

    @abstractmethod
    def place(self, function: str) -> Place:
        """Return how to name a function and its cells to the student."""

    @abstractmethod
    def undefined(self, function: str) -> CheckFailed:
        """Return why the notebook defines no such function."""

    def seconds_left(self) -> float:
        """Return how long the student's code may still run in this task; without a clock, always the same."""
        return 120.0

    def call(self, function: str, *args: Any, backward: bool = False, generators: bool = False, **kwargs: Any) -> Reply:
        """Call a function of the student's.

        `backward` calls .backward() on the scalar that it returns; `generators` tells where the global generators stand
        afterwards. Raises CheckFailed for whatever the student's code does instead of returning.
        """
        probes: list[Probe] = []
        arguments = [_pack(argument, probes) for argument in args]
        keywords = {name: _pack(argument, probes) for name, argument in kwargs.items()}
        message = messages.CallFunction(function, arguments, keywords, backward, generators)
        reply = self.request(message, lambda question: self.answer(question, probes))
        if isinstance(reply, Reply):
            return replace(reply, arguments=list(map(_left_of, args, reply.arguments)))
        raise self._failed(function, reply)

    def evaluate(self, model: Model, *arguments: Any) -> Reply:
        """Call a network where the student's code runs, without gradients; raises CheckFailed as `call` does."""
        reply = self.request(messages.Evaluate(model, list(arguments)), self.answer)
        if isinstance(reply, Reply):
            return reply
        raise self._failed(model.kind, reply)

    def together(self, functions: Collection[str]) -> bool:
        """Ask these functions from now on where the last of them stands; say whether one stands elsewhere."""
        return False  # in one process none does

    def separately(self) -> None:  # noqa: B027
        """Ask each function where it stands."""

    def apart(self, calls: Sequence[Call]) -> list[list[int]]:
        """Return the numbers of the calls that travel in one message: in one process all."""
        return [list(range(len(calls)))]

    def rounds(self, calls: Sequence[Call], count: int) -> list[Sequence[Any]]:
        """Make calls one after the other, `count` times over, in one message, and return the answers of each call.

        There are `count` of them each: rows of one tensor where they are alike. Raises CheckFailed for the first that
        fails.
        """
        answers: list[Sequence[Any]] = [()] * len(calls)
        for group in self.apart(calls):
            for number, found in zip(group, self._rounds([calls[number] for number in group], count), strict=True):
                answers[number] = found
        return answers

    def _rounds(self, calls: Sequence[Call], count: int) -> list[Sequence[Any]]:
        stacks: dict[int, Tensor] = {}  # by their id: the same rows are asked about more than once
        packed = [
            replace(call, arguments=tuple(_refer(argument, stacks) for argument in call.arguments)) for call in calls
        ]
        reply = self.request(messages.CallRounds(packed, count, list(stacks.values())), self.answer)
        if isinstance(reply, messages.RoundFailed):
            raise self._failed(calls[min(reply.call, len(calls) - 1)].function, reply.why)
        # Counted before they are taken apart: of a column of millions each row would be a tensor here.
        answers = [_in_rounds(found, count) for found in reply.found]
        if len(answers) != len(calls) or not all(_has_length(found, count) for found in answers):
            raise CheckFailed(Status.CRASH, "The answer that came back is no answer of these function calls.")
        return answers

    def _failed(self, function: str, why: messages.Failure | messages.Undefined) -> CheckFailed:
        if isinstance(why, messages.Undefined):
            return self.undefined(function)
        return explain(why, self.place(function))

    def stand_in(self, function: str, answer: Callable[..., Tensor]) -> None:
        """Let `answer` take the place of a function that has lost its points by itself, where other functions call it.

        It gets the arguments that its own parameters name, whatever they are, and raises ValueError where it has none.
        """
        self._stand_ins[function] = answer
        self.request(self._standing_in(function), self.answer)

    def _standing_in(self, function: str) -> messages.StandIn:
        return messages.StandIn(function, list(inspect.signature(self._stand_ins[function]).parameters))

    def seed(self, seed: int) -> None:
        """Seed the global generators where the student's code runs."""
        self.request(messages.Seed(seed), self.answer)

    def answer(self, question: messages.Question, probes: Sequence[Probe] = ()) -> Tensor | None:
        """Return the answer to a question of a box, which may ask anything; None where there is none.

        Whatever an answer raises is the question's fault: to an ordinary one it answers every right submission.
        """
        with contextlib.suppress(Exception):
            if isinstance(question, messages.ProbeQuestion):
                return probes[question.number].ask(*question.arguments)
            self.stood_in = True
            return self._stand_ins[question.function](*question.arguments)
        return None


def _kept(value: Any) -> Any:
    """Return a tensor as it is, else an empty value of the type: millions of lists in lists take few bytes to send."""
    return value if isinstance(value, Tensor) else type(value)()


def _left_of(given: Any, after: Any) -> Any:
    """Return what a box says is left of an argument where that can be; None else: checks keep replies by the dozen."""
    if isinstance(given, Tensor):
        return after if isinstance(after, Tensor) and after.shape == given.shape else None
    allowed = {Model: ModelState, list: list, tuple: tuple, dict: dict}.get(type(given))
    return after if allowed is not None and isinstance(after, allowed) else None


def _pack(argument: Any, probes: list[Probe]) -> Any:
    if not isinstance(argument, Probe):
        return argument
    probes.append(argument)
    return messages.ProbeModel(len(probes) - 1, list(argument.PARAMETERS), argument.TAKES)


def _refer(argument: Any, stacks: dict[int, Tensor]) -> Any:
    """Put the place among `stacks` where rows were, so that each stack travels once."""
    if isinstance(argument, Rows):
        stacks.setdefault(id(argument.stack), argument.stack)
        return messages.RowsAt(list(stacks).index(id(argument.stack)), argument.first)
    if isinstance(argument, Model) and isinstance(argument.state, Rows):
        return replace(argument, state=_refer(argument.state, stacks))
    return argument


def _in_rounds(answers: Any, count: int) -> Any:
    """Return a call's answers one by one where they came as a few columns of `count` rows; anything else as it is."""
    if not isinstance(answers, messages.Columns) or not all(_has_length(column, count) for column in answers.columns):
        return answers
    return list(zip(*answers.columns, strict=True))


def _has_length(answers: Any, count: int) -> bool:
    return (isinstance(answers, list) or (isinstance(answers, Tensor) and answers.dim() > 0)) and len(answers) == count
