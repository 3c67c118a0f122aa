"""What crosses as a message has fields of exactly the types and bounds that it says, or is refused."""

from __future__ import annotations

import time
from typing import Any

import pytest
import torch

from autograder.box import control, messages
from autograder.box.messages import (
    Answer,
    Answers,
    Call,
    CallFunction,
    CallRounds,
    CellRan,
    Columns,
    Copy,
    Defines,
    Done,
    Evaluate,
    Failure,
    Frame,
    Model,
    ModelState,
    ProbeModel,
    ProbeQuestion,
    Read,
    Reply,
    RoundFailed,
    RowsAt,
    RunCell,
    Seed,
    StandIn,
    StandInQuestion,
    StatementFailed,
    Threads,
    Undefined,
    YesNo,
)
from autograder.box.schema import Malformed, Message, WireError
from autograder.box.wire import PREFIX, decode, encode

X = torch.ones(2, 3)
NO_BYTES = torch.zeros(10_000, 0)  # no bytes, but as many rows as a tensor without bytes may have
FAILURE = Failure("runtime", "ValueError", "no", 3, 4)
BROKEN = StatementFailed(FAILURE, ["x", "*"])
STATE = ModelState({"w": X}, {"w": True}, {"w": None}, False, False)
MODEL = Model("Affine", {"weight": X}, {"dimension": 3})
REPLY = Reply([X, 1.0, {"a": None}], "Tensor", True, [X, STATE, None], False, False, ["0a"])
HONEST = (
    *(Done(), Undefined(), FAILURE, Failure("syntax", "E", ""), STATE, MODEL, REPLY, YesNo(True), Copy(1), Threads()),
    *(
        CellRan([], [], []),
        CellRan([BROKEN], ["!pip"], ["f"]),
        BROKEN,
        Columns([X, X]),
        Answers([X, Columns([X]), [None, 1.0]]),
        Seed(-1),
    ),
    *(RoundFailed(FAILURE, 0), RoundFailed(Undefined(), 1), RowsAt(0, 1), Read(["/tmp"]), StandIn("f", ["x"])),
    *(ProbeModel(0, ["x"], "takes x"), CallFunction("f", [MODEL, ProbeModel(0, [], ""), X], {"a": 1.0}, True, True)),
    *(Evaluate(MODEL, [X]), Call("f", (RowsAt(0, 0), MODEL, 0.5), "weights 1"), CallRounds([Call("f", ())], 3, [X])),
    *(ProbeQuestion(0, [X, None]), StandInQuestion("f", [X]), Answer(None), Answer(X), Frame(7, Done())),
    *(
        RunCell(1, b"x", 2.0),
        Defines("f"),
        control.Ready(1),
        control.Open([0, 1]),
        control.Forked(7),
        control.Import(["os"]),
        control.Imported(),
    ),
    *(control.Adopt(7), control.Exited(7, -9), control.Clear([7, 8]), control.Cleared(True)),
    control.Setup(["x = 1"], {"known": MODEL}, ["name"], ["f"], 1, 2, 3, b"", ["/tmp"], True, 0, [], []),
)


def crossed(value: Any) -> Any:
    """Return what comes out at the other end of the wire."""
    frame = encode(value)
    header, _ = PREFIX.unpack(frame[: PREFIX.size])
    return decode(frame[PREFIX.size : PREFIX.size + header], frame[PREFIX.size + header :])


def test_every_message_is_here() -> None:
    """A new kind of message belongs into the list above."""
    kinds = {kind for kind in Message.known.values() if kind.__module__ in (messages.__name__, control.__name__)}
    assert kinds - {messages.Request} == {type(message) for message in HONEST}


@pytest.mark.parametrize("message", HONEST, ids=lambda message: type(message).__name__)
def test_honest_messages_arrive_as_they_were(message: Message) -> None:
    """With the same class and fields."""
    assert repr(crossed(message)) == repr(message)


@pytest.mark.parametrize("message", HONEST, ids=lambda message: type(message).__name__)
@pytest.mark.parametrize("other", [NO_BYTES, ..., [NO_BYTES], {"a": Done()}, b"\0", -(2**63), "x" * 5000], ids=type)
def test_a_field_holds_what_it_says_and_nothing_else(message: Message, other: Any) -> None:
    """Whatever stands in a field of another type is refused at once, before anything looks into it."""
    other = Done() if other is ... else other
    values = message.values()
    for place, (name, holds) in enumerate(message.checks):
        forged = type(message)(*values[:place], other, *values[place + 1 :])
        began = time.monotonic()
        if holds(other):
            assert repr(crossed(forged)) == repr(forged)
        else:
            with pytest.raises(Malformed, match=name):
                crossed(forged)
        assert time.monotonic() - began < 1


@pytest.mark.parametrize(
    "forged",
    [
        Reply(None, NO_BYTES, False, [], False, False, []),  # type: ignore[arg-type]
        Reply(None, "Tensor", False, [], False, False, NO_BYTES),  # type: ignore[arg-type]
        Reply(None, "Tensor", False, NO_BYTES, False, False, []),  # type: ignore[arg-type]
        Reply(None, "Tensor", 1, [], False, False, []),  # type: ignore[arg-type]
        Reply(None, "<b>", False, [], False, False, []),
        Reply(None, "x" * 41, False, [], False, False, []),
        Reply(Done(), "Tensor", False, [], False, False, []),
        Reply([{"a": Done()}], "Tensor", False, [], False, False, []),
        Reply(None, "Tensor", False, [Done()], False, False, []),
        Reply(None, "Tensor", False, [ModelState({}, {}, {"w": 1}, False, False)], False, False, []),  # type: ignore[dict-item]
        Failure("runtime", "ValueError", torch.ones(3)),  # type: ignore[arg-type]
        Failure("runtime", "ValueError", "", "14"),  # type: ignore[arg-type]
        Failure("runtime", "ValueError", "", -1),
        Failure("runtime", "ValueError", "", True),
        Failure("runtime", "ValueError", "x" * 401),
        CellRan([{"why": "runtime"}], [], []),  # type: ignore[list-item]
        CellRan([BROKEN] * 51, [], []),
        CellRan([], [3], []),  # type: ignore[list-item]
        Answers([Columns([X] * 5)]),
        Answers([Columns([1.0])]),  # type: ignore[list-item]
        Answers(["abcd"]),
        Answers([3]),
        RoundFailed(None, 0),  # type: ignore[arg-type]
        RoundFailed(FAILURE, -1),
        Frame(True, Done()),
        Frame(0, {"value": None}),  # type: ignore[arg-type]
        ProbeQuestion("0", [X]),  # type: ignore[arg-type]
        ProbeQuestion(0, NO_BYTES),  # type: ignore[arg-type]
        ProbeQuestion(0, [X] * 33),
    ],
    ids=repr,
)
def test_forged_messages_are_refused(forged: Message) -> None:
    """What a box could send in the place of a reply or a question."""
    with pytest.raises(Malformed):
        crossed(forged)


@pytest.mark.parametrize(
    "tree", ['["Done", 1]', '["Seed"]', '["Message"]', '["Nothing"]', '[["Done"]]', "[]", "[1]", "{}"]
)
def test_what_names_no_message_is_refused(tree: str) -> None:
    """A class that is none of ours, or another number of fields."""
    with pytest.raises(WireError):
        decode(f'[{{"m":{tree}}},[]]'.encode(), b"")
