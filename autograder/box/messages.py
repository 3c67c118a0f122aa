"""What judge, keeper and box say to each other: a class for each message, with what its fields may hold.

A request names the replies that are due to it. While a box works on one it may ask questions, each of which has an
`Answer`. All of this travels in a `Frame` with the request's number; keeper and judge have a channel of their own.
This file is mounted into the box, so it must hold nothing that a student may not read.
"""

from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Generic, TypeVar

from torch import Tensor

from autograder.box.schema import Count, Message, Name, Names, Position, Word, at_most, within

State = dict[str, Tensor]
R = TypeVar("R", bound=Message)
MOST_CALLS = 64  # that are made in every round
MOST_COLUMNS = 4  # of an answer in rounds: a pair has two
MOST_FAILURES = 50  # of a cell that are told
MAX_TEXT = 400  # of an exception


@dataclass(frozen=True)
class Rows:
    """A tensor for each of several rounds of calls: in round r it is row `first` + r of `stack`."""

    stack: Tensor
    first: int = 0


class RowsAt(Message):
    """The same where the stacks travel beside the calls: `stack` is a number among them."""

    stack: Count
    first: Count


class Model(Message):
    """A network: built where the student's code runs, from a kind and a state dict.

    `kind` is a class that the prelude defines, or "Affine": x W + b + t c. With `notebook` the class is taken as the
    student's notebook leaves it. The state may be one vector of all parameters. In rounds of calls a network is kept by
    its `slot`, may have one vector a round, and later rounds may leave out the state.
    """

    kind: Name
    state: State | Tensor | Rows | RowsAt | None
    options: dict[str, Any] = field(default_factory=dict)
    requires_grad: bool = True
    training: bool = True
    notebook: bool = False
    slot: Name = ""


class ProbeModel(Message):
    """A model whose every call is a question, with the names of its arguments; `takes`: what to say to an odd call."""

    number: Count
    parameters: Names
    takes: Annotated[str, at_most(MAX_TEXT)]


# --- replies ---


class Done(Message):
    """The reply to a request that has nothing to tell."""


class YesNo(Message):
    """The reply to a question that has no other answers."""

    yes: bool


class Failure(Message):
    """An exception: what kind of failure it is, the nearest built-in class, its text, and where in the notebook."""

    kind: Annotated[str, at_most(40)]
    type: Annotated[str, at_most(80)]
    text: Annotated[str, at_most(MAX_TEXT)]
    cell: Position = None
    line: Position = None
    column: Position = None


class Undefined(Message):
    """The reply to a call of a function that the notebook does not define."""


class StatementFailed(Message):
    """Why a statement of a cell failed, and the names that are missing for it ("*": some that cannot be known)."""

    why: Failure
    missing: list[Name]


class CellRan(Message):
    """What failed in a cell, first of all what is told, which magics were not run, and which functions are new."""

    failures: Annotated[list[StatementFailed], at_most(MOST_FAILURES)]
    unrun: Annotated[list[Name], at_most(MOST_FAILURES)]
    defined: Names  # the tasks' functions whose names hold other callables than before

    @property
    def failure(self) -> Failure | None:
        """What is told; None of a cell that ran through."""
        return self.failures[0].why if self.failures else None


class Threads(Message):
    """The reply if no copy can be made, because a fork would lose the student's threads."""


class ModelState(Message):
    """A network after a call, as the box reports it."""

    state: State
    requires_grad: dict[str, bool]
    grad: dict[str, Tensor | None]
    graph: bool  # a parameter hangs on an autograd graph
    replaced: bool  # a parameter is another object than before the call


class Reply(Message):
    """What a call returned. `arguments` are the positional arguments as they were after the call."""

    value: Any
    type: Word
    requires_grad: bool
    arguments: list[ModelState | Any]
    reseeded: bool  # numpy's and Python's generators, where these were asked about; torch's always
    gradients_off: bool  # the call has left them switched off for whatever would have come after it
    generators: Annotated[list[Word], at_most(8)]  # a digest of each global one after the call, where asked about


class Columns(Message):
    """The answers of a call in all rounds: a tensor for each place of the tuples that it returned."""

    columns: Annotated[list[Tensor], at_most(MOST_COLUMNS)]


class Answers(Message):
    """For each call what it answered: one tensor, columns, or a list with a value for each round."""

    found: Annotated[list[Tensor | Columns | list[Any]], at_most(MOST_CALLS)]


class RoundFailed(Message):
    """Why rounds of calls ended early, and at which of the calls."""

    why: Failure | Undefined
    call: Count


# --- requests ---


class Request(Message, Generic[R]):
    """What a judge asks of a box."""

    replies: ClassVar[tuple[type[Message], ...]] = (Done,)

    @property
    def about(self) -> str:
        """What of the student's it is about, as they know it; empty where that is no one function."""
        return ""


class RunCell(Request[CellRan]):
    """Run a cell of the student's, whose source is UTF-8 with surrogates, for so many seconds."""

    replies = (CellRan,)
    number: Count
    source: bytes
    seconds: float


class Copy(Request[Done | Threads]):
    """Fork a copy with the channel and the output that come with the next byte; `threads` are seen in the box."""

    replies = (Done, Threads)
    threads: Count


class Defines(Request[YesNo]):
    """Say whether the notebook binds this name now."""

    replies = (YesNo,)
    name: Name


class Seed(Request[Done]):
    """Seed the global generators."""

    seed: int


class Read(Request[YesNo]):
    """Try to read these files, and those below these folders; says whether any could be read."""

    replies = (YesNo,)
    paths: Names


class CallFunction(Request[Reply | Failure | Undefined]):
    """Call a function of the student's.

    `backward` calls .backward() on the scalar that it returns; `generators` asks where the global generators stand.
    """

    replies = (Reply, Failure, Undefined)
    function: Name
    arguments: list[Model | ProbeModel | Any]
    keywords: dict[str, Model | ProbeModel | Any]
    backward: bool = False
    generators: bool = False

    @property
    def about(self) -> str:
        """The function."""
        return self.function


class Evaluate(Request[Reply | Failure]):
    """Call a network, without gradients."""

    replies = (Reply, Failure)
    model: Model
    arguments: list[Any]

    @property
    def about(self) -> str:
        """The network's class."""
        return self.model.kind


class Call(Message):
    """One of several calls that are made in every round: no probes among `arguments`, and only rows differ.

    It answers with its value, or as `report` says: with the "gradient" or the "weights" of a network as one vector
    ("weights 1" for argument 1). With `restores` what the function does to its networks is undone when it returns.
    """

    function: Name
    arguments: tuple[Model | RowsAt | Any, ...]
    report: Name = "none"
    backward: bool = False
    restores: bool = False


class CallRounds(Request[Answers | RoundFailed]):
    """Make calls one after the other, `count` times over."""

    replies = (Answers, RoundFailed)
    calls: Annotated[list[Call], at_most(MOST_CALLS)]
    count: Count
    stacks: list[Tensor]


class StandIn(Request[Done]):
    """Ask the judge in place of a function of the student's from now on; `parameters`: the names of its arguments."""

    function: Name
    parameters: Names


# --- questions of a box, and their answer ---


class ProbeQuestion(Message):
    """A call of a probe: what it was called with."""

    number: Count
    arguments: Annotated[list[Any], at_most(32)]


class StandInQuestion(Message):
    """A call of a function that the judge stands in for."""

    function: Name
    arguments: Annotated[list[Any], at_most(32)]


Question = ProbeQuestion | StandInQuestion


class Answer(Message):
    """What the judge answers; None to a question in no form that has an answer."""

    value: Tensor | None


class Frame(Message):
    """All that crosses between judge and box, with the number of the request that it belongs to."""

    number: Annotated[int, within(0, 2**62)]
    message: Message
