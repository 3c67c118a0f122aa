"""What judge and keeper say to each other on their own channel, which no box has.

This file is mounted into the box, so it must hold nothing that a student may not read.
"""

from __future__ import annotations

from typing import Annotated

from autograder.box.messages import Model
from autograder.box.schema import LARGEST, Any64, Count, Flag, Message, Names, by_name, each, one_of, whole


class Setup(Message):
    """What a keeper needs to open boxes: the prelude's cells, given models, limits, and walls (box/keeper.py)."""

    prelude: Annotated[list[str], each(one_of(str))]
    givens: Annotated[dict[str, Model], by_name(one_of(Model))]
    elsewhere: Names
    memory_bytes: Any64
    processes: Any64
    cpu_seconds: Any64
    seccomp: Annotated[bytes, one_of(bytes)]
    scratch: Names
    namespaces: Flag
    user: Any64
    readable: Names
    listable: Names


class Ready(Message):
    """The keeper has run the prelude; `pid` as it sees itself."""

    pid: Count


class Open(Message):
    """Fork a box on these processors; the next byte on the channel carries its descriptors."""

    processors: Annotated[list[int], each(whole(0, LARGEST))]


class Forked(Message):
    """The box runs."""


class Exited(Message):
    """The box has ended by itself: an exit code, or minus the number of a signal."""

    status: Any64


class End(Message):
    """Kill what the box has left, and clean up."""


class Ended(Message):
    """Nothing of the box is left, or not all could be cleaned up."""

    clean: Flag
