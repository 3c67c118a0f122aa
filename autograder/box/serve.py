"""The box: runs the student's cells and answers the judge, one request at a time."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from collections.abc import Iterator
from typing import Any

import torch

from autograder.box.answerer import Answerer, only_here, run_cells_limited
from autograder.box.ipython import furnish
from autograder.box.models import build_model
from autograder.box.wire import WireError, receive_from, send


def prepare(namespace: dict[str, Any], prelude: list[str], givens: dict[str, dict[str, Any]]) -> None:
    """Run the prelude's cells in a namespace and put the described models there, by their names."""
    furnish(namespace)
    torch.compile = _as_it_is
    for number, source in enumerate(prelude, 1):
        exec(compile(source, f"<prelude {number}>", "exec", dont_inherit=True), namespace)
    namespace.update({name: build_model(description, namespace) for name, description in givens.items()})


def _as_it_is(model: Any = None, **_: Any) -> Any:
    """Stand for torch.compile: a compiler takes longer than a call may, and the values are the same without one."""
    return (lambda function: function) if model is None else model


def serve(channel: socket.socket, namespace: dict[str, Any], elsewhere: list[str]) -> None:
    """Answer requests until the judge closes the channel; `elsewhere`: names of given cells that are not run."""
    pid = os.getpid()

    def ask(question: dict[str, Any]) -> Any:
        only_here(pid)
        send(channel, {"id": current, "question": question})
        answer: dict[str, Any] = receive_from(channel)
        return answer["answer"]

    answerer = Answerer(namespace, ask, elsewhere=elsewhere)
    current: Any = None
    while True:
        try:
            request = receive_from(channel)
        except (EOFError, ConnectionError):
            return
        current = request["id"]
        reply = answer(answerer, request)
        only_here(pid)
        flush()
        try:
            send(channel, {"id": current, "reply": reply})
        except WireError:
            send(channel, {"id": current, "reply": without_values(reply)})


def answer(answerer: Answerer, request: dict[str, Any]) -> Any:
    """Do what one request asks."""
    match request["op"]:
        case "cell":
            source = request["source"].decode("utf-8", "surrogatepass")
            return run_cells_limited(answerer, request["number"], source, request["seconds"])
        case "names":
            return answerer.names(request["names"])
        case "seed":
            return answerer.seed(request["seed"])
        case "readable":  # asked before any student code has run
            return can_read(request["paths"])
        case "call":
            return answerer.call(request)
        case "rounds":
            return answerer.call_rounds(request)
        case "stand_in":
            return answerer.stand_ins.add(request["function"])
    raise ValueError(f"unknown request {request['op']!r}")


def without_values(reply: dict[str, Any]) -> dict[str, Any]:
    """Return a reply without what cannot cross the wire."""
    if "answers" in reply:
        return {**reply, "answers": [[None] * len(found) for found in reply["answers"]]}
    return {**reply, "value": None, "arguments": []}


def flush() -> None:
    """Send on what the student's code has printed, if it has left something to print to."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(BaseException):
            stream.flush()


def can_read(paths: list[str]) -> bool:
    """Return whether any of these files, or of the files below these folders, can be read from here."""
    return any(_readable(path) or any(_readable(file) for file in _files(path)) for path in paths)


def _files(folder: str) -> Iterator[str]:
    for parent, _, names in os.walk(folder):
        yield from (os.path.join(parent, name) for name in names)


def _readable(path: str) -> bool:
    try:
        with open(path, "rb"):
            return True
    except OSError:
        return False
