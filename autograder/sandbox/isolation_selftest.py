"""The walls of a box, each tried for real from inside one by code such as a student could hand in."""

import os
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from autograder.box.messages import Read, RunCell
from autograder.course import secrets
from autograder.sandbox import procfs
from autograder.sandbox.box import Box
from autograder.sandbox.box_failure import BoxFailure, KeeperLost
from autograder.sandbox.bubblewrap import ENVIRONMENT
from autograder.sandbox.keeper import Keeper, Plan

NAMESPACES = ("user", "pid", "net", "ipc", "uts", "mnt")
SECONDS = 20.0
MEMORY_BYTES = 1 << 30
KNOWN = [*ENVIRONMENT, "PWD", "LC_CTYPE"]  # bwrap sets the first of the last two, Python the second


@dataclass(frozen=True)
class Wall:
    """A wall, and code that ends in an exception unless the wall stands."""

    name: str
    tried: str
    source: str


@dataclass(frozen=True)
class Tried:
    """What came of trying a wall."""

    name: str
    tried: str
    stands: bool


_RECORD = tomllib.loads(Path(__file__).with_name("walls.toml").read_text(encoding="utf-8"))
TOOLS = f"known = {KNOWN!r}\n{_RECORD['tools']}"
WALLS = tuple(Wall(**record) for record in _RECORD["wall"])


def try_walls(isolation: str, course: Path) -> list[Tried]:
    """Start a keeper and try every wall, each in a box of its own; raises IsolationMissing or GraderFault."""
    keeper = Keeper(Plan(isolation, course, (), memory_bytes=MEMORY_BYTES)).start()
    try:
        keeper.wait_ready()
        found = [_namespace(keeper, kind) for kind in NAMESPACES] if isolation == "namespaces" else []
        found += [Tried(wall.name, wall.tried, _stands(keeper, wall.source)) for wall in WALLS]
        found.append(Tried("hidden checks", "every file of the checks and the source", _checks_hidden(keeper, course)))
        found.append(Tried("clean end", "a process that has left its session", _no_survivors(keeper)))
        return found
    finally:
        keeper.stop()


def _namespace(keeper: Keeper, kind: str) -> Tried:
    if kind == "user" and os.geteuid() == 0:  # bubblewrap.py says why; `own user` is tried in its place
        return Tried("user namespace", "under root: a user of the box's own instead", True)
    outside = os.readlink(f"/proc/self/ns/{kind}")
    stands = _stands(keeper, f"hold(os.readlink('/proc/self/ns/{kind}') != {outside!r})")
    return Tried(f"{kind} namespace", "another one than the judge's", stands)


def _stands(keeper: Keeper, source: str) -> bool:
    """Say whether the code ran to its end, and the keeper is as it was after it."""
    return _holds(keeper, lambda box: _ran(box, source)) and keeper.usable


def _holds(keeper: Keeper, asked: Callable[[Box], bool]) -> bool:
    """Say whether what is asked of a box of its own holds; where the box or the keeper is lost, nothing does."""
    try:
        with keeper.open_box() as box:
            return asked(box)
    except (BoxFailure, KeeperLost):
        return False


def _ran(box: Box, source: str) -> bool:
    return box.request(RunCell(1, (TOOLS + source).encode(), SECONDS), SECONDS).failure is None


def _checks_hidden(keeper: Keeper, course: Path) -> bool:
    paths = [str(folder) for folder in secrets(course)]
    return _holds(keeper, lambda box: not box.request(Read(paths), SECONDS).yes)


def _no_survivors(keeper: Keeper) -> bool:
    daemon = "import time\nif os.fork() == 0:\n    try:\n        os.setsid()\n    finally:\n        time.sleep(1000)"
    _holds(keeper, lambda box: _ran(box, daemon))
    return keeper.usable and not procfs.children(keeper.pid)
