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
    functions: Names  # that the tasks ask for
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
    """The box runs; `pid` as the keeper sees it."""

    pid: Count


class Adopt(Message):
    """Tell of the end of this process too: a copy that a box has made of itself."""

    pid: Count


class Exited(Message):
    """A box has ended: an exit code, or minus the number of a signal."""

    pid: Count
    status: int


class Clear(Message):
    """Kill every process but these boxes; where none is kept, empty the scratch folders too."""

    kept: list[Count]


class Cleared(Message):
    """That is done; or not all could be killed, or cleaned up."""

    clean: bool
