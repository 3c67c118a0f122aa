"""What judge and keeper say to each other on their own channel, which no box has.

This file is mounted into the box, so it must hold nothing that a student may not read.
"""

from autograder.box.messages import Model
from autograder.box.schema import Count, Message, Names


class Setup(Message):
    """What a keeper needs to open boxes: the prelude's cells, given models, limits, and walls (box/keeper.py)."""

    prelude: list[str]
    givens: dict[str, Model]
    elsewhere: Names
    memory_bytes: int
    processes: int
    cpu_seconds: int
    seccomp: bytes
    scratch: Names
    namespaces: bool
    user: int
    readable: Names
    listable: Names


class Ready(Message):
    """The keeper has run the prelude; `pid` as it sees itself."""

    pid: Count


class Import(Message):
    """Import these modules, for all boxes to come."""

    modules: Names


class Imported(Message):
    """That is done, as far as it can be."""


class Open(Message):
    """Fork a box on these processors; the next byte on the channel carries its descriptors."""

    processors: list[Count]


class Forked(Message):
    """The box runs."""


class Exited(Message):
    """The box has ended by itself: an exit code, or minus the number of a signal."""

    status: int


class End(Message):
    """Kill what the box has left, and clean up."""


class Ended(Message):
    """Nothing of the box is left, or not all could be cleaned up."""

    clean: bool
