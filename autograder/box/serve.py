"""The box: runs the student's cells and answers the judge, one request at a time."""

import contextlib
import os
import socket
import sys
import threading
import types
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import torch

from autograder.box.answerer import Answerer, only_here
from autograder.box.ipython import furnish
from autograder.box.limits import COPY_GOES_FIRST, first_to_go
from autograder.box.messages import Answers, Columns, Copy, Done, Frame, Model, Question, Read, Reply, Threads, YesNo
from autograder.box.models import build_model
from autograder.box.sibling import fork_sibling
from autograder.box.wire import WireError, receive_from, send


def prepare(prelude: list[str], givens: dict[str, Model]) -> dict[str, Any]:
    """Run the prelude's cells, add the described models by their names, and return the student's namespace.

    It is a copy: given code keeps globals of its own, which no cell of the student's can bind to something else.
    """
    torch.compile = _as_it_is
    torch.set_default_device = _set_device_if_there
    given = _main()
    furnish(given)
    for number, source in enumerate(prelude, 1):
        exec(compile(source, f"<prelude {number}>", "exec", dont_inherit=True), given)
    given.update({name: build_model(described, given) for name, described in givens.items()})
    namespace = _main()
    namespace.update(given)
    return namespace


def _main() -> dict[str, Any]:
    """Return the namespace of a new module `__main__`, where pickle and dataclasses look for what it defines."""
    sys.modules["__main__"] = module = types.ModuleType("__main__")
    return module.__dict__


def _as_it_is(model: Any = None, **_: Any) -> Any:
    """Stand for torch.compile: a compiler takes longer than a call may, and the values are the same without one."""
    return (lambda function: function) if model is None else model


def _set_device_if_there(device: Any, real: Callable[[Any], None] = torch.set_default_device) -> None:
    """Set a default device, unless it is an accelerator: there is none here, and whatever came next would fail."""
    if device is None or torch.device(device).type in ("cpu", "meta"):
        real(device)


def serve(channel: socket.socket, namespace: dict[str, Any], elsewhere: list[str], functions: list[str]) -> None:
    """Answer requests until the judge closes the channel.

    `elsewhere` are the names of given cells that are not run, `functions` those that the tasks ask for.
    """
    pid = os.getpid()

    def ask(question: Question) -> Any:
        only_here(pid)
        send(channel, Frame(current, question))
        return receive_from(channel).message.value

    answerer = Answerer(namespace, ask, elsewhere=elsewhere, functions=functions)
    current: Any = None
    while True:
        try:
            frame = receive_from(channel)
        except (EOFError, ConnectionError):
            return
        current = frame.number
        if type(frame.message) is Read:  # asked before any student code has run
            reply: Any = YesNo(can_read(frame.message.paths))
        elif type(frame.message) is Copy:
            copy = copy_of_box(channel, frame.message.threads)
            if type(copy) is socket.socket:
                channel, pid = copy, os.getpid()
                continue
            reply = copy
        else:
            reply = answerer.answer(frame.message)
        only_here(pid)
        flush()
        try:
            send(channel, Frame(current, reply))
        except WireError:
            send(channel, Frame(current, without_values(reply)))


def copy_of_box(channel: socket.socket, threads: int) -> socket.socket | Done | Threads:
    """Fork a copy of this box: returns there the channel on which it answers, here the reply.

    The copy is the keeper's child, as this box is. Where it cannot be made, nobody speaks on its channel. `threads` is
    how many the judge sees here.
    """
    _, descriptors, _, _ = socket.recv_fds(channel, 1, 2)
    try:
        if threads > 1 + monitors():
            return Threads()
        flush()
        with contextlib.suppress(OSError):  # too many processes
            if fork_sibling():
                return begin_copy(channel, descriptors)
        return Done()
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def begin_copy(channel: socket.socket, descriptors: list[int]) -> socket.socket:
    """Take a channel and an output of our own, and say one byte: with it the kernel tells the judge who we are."""
    with contextlib.suppress(PermissionError):  # without namespaces a box stays in the one group that is killed
        os.setsid()
    first_to_go(COPY_GOES_FIRST)
    channel.close()
    os.dup2(descriptors[1], 1)
    os.dup2(descriptors[1], 2)
    own = socket.socket(fileno=os.dup(descriptors[0]))
    own.sendall(b".")
    return own


def monitors() -> int:
    """Return how many threads a fork may leave behind: tqdm's monitor only redraws its bars."""
    return sum(type(thread).__module__ == "tqdm._monitor" for thread in threading.enumerate())


def without_values(reply: Any) -> Any:
    """Return a reply without what cannot cross the wire."""
    if type(reply) is Answers:
        answers: list[Any] = reply.found
        rounds = [len(found.columns[0] if type(found) is Columns else found) for found in answers]
        return Answers([[None] * count for count in rounds])
    return replace(reply, value=None, arguments=[]) if type(reply) is Reply else reply


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
