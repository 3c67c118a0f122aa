"""Kills what a box has started, and deletes what it has left, from the keeper's side."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import shutil
import signal
import time
from collections.abc import Collection, Iterator
from pathlib import Path

KILL_SECONDS = 10.0
KILLER_SECONDS = 1.0  # for a process that only kills others and ends
SPARING_SECONDS = 1.0  # one by one: where that does not end, everything is killed
ESCAPE = re.compile(r"\\([0-7]{3})")  # how mountinfo writes spaces
MAX_LEFTOVERS = 2000  # more files than this in /tmp: cheaper to start anew than to delete


def kill_everything(boxes: Collection[int] = (), user: int = 0) -> bool:
    """Kill every process that a box may have left, and reap until none is there; False when that does not end."""
    deadline = time.monotonic() + KILL_SECONDS
    while time.monotonic() < deadline:
        if os.getpid() == 1:
            with contextlib.suppress(ProcessLookupError):
                os.kill(-1, signal.SIGKILL)
        else:
            kill_boxes(boxes, user)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return True
        time.sleep(0.001)
    return False


def kill_others(kept: Collection[int]) -> bool:
    """Kill every process but these, one by one, until no other is there; False when that does not end."""
    deadline = time.monotonic() + SPARING_SECONDS
    while others := descendants(os.getpid()) - set(kept):
        for pid in others:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        for pid in others:
            with contextlib.suppress(OSError):  # a child of another process comes to us when that is gone
                os.waitpid(pid, os.WNOHANG)
        if time.monotonic() > deadline:
            return False
        time.sleep(0.001)
    return True


def kill_boxes(boxes: Collection[int], user: int) -> None:
    """Kill boxes without a namespace of their own: their groups, which they cannot leave, their user's, all below."""
    for box in boxes:
        with contextlib.suppress(OSError):
            os.killpg(box, signal.SIGKILL)
    if user and os.geteuid() == 0:
        kill_all_of(user)
    for pid in descendants(os.getpid()):
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)


def kill_all_of(user: int) -> None:
    """Kill all processes of a user at once, so that none of them forks away; returns when the one that does it is gone.

    Were it left to end by itself, the keeper would see it among its children, take it for what is left of the box and
    start another one, until its time is over.
    """
    pid = os.fork()
    if pid == 0:
        try:
            os.setresuid(user, user, user)
            os.kill(-1, signal.SIGKILL)
        finally:
            os._exit(0)
    deadline = time.monotonic() + KILLER_SECONDS
    while not os.waitpid(pid, os.WNOHANG)[0]:
        if time.monotonic() > deadline:  # a process of the user's has stopped it
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return
        time.sleep(0.001)


def descendants(root: int) -> set[int]:
    """Return all processes below one; those that lose their parent come to it, its next call finds them.

    What has ended, and waits for a parent other than `root` to ask how, is left out: nothing of it runs.
    """
    parents: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError, ValueError):
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            if state != "Z" or int(parent) == root:
                parents[int(folder.name)] = int(parent)
    family = {root}
    while found := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= found
    return family - {root}


def empty(folders: list[str]) -> bool:
    """Delete what a box left in its scratch folders; False when that would take long or fails."""
    kept = mount_points() - set(folders)  # /tmp may hold the environment that Python runs from
    try:
        left = itertools.chain.from_iterable(files_below(folder, kept) for folder in folders)
        if sum(1 for _ in itertools.islice(left, MAX_LEFTOVERS)) == MAX_LEFTOVERS:
            return False
        for folder in folders:
            delete_below(folder, kept)
    except (OSError, RecursionError):
        return False
    return True


def mount_points() -> set[str]:
    """Return where something is mounted; empty where that is not told."""
    with (
        contextlib.suppress(OSError),
        open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as lines,
    ):
        return {ESCAPE.sub(lambda code: chr(int(code[1], 8)), line.split()[4]) for line in lines}
    return set()


def delete_below(folder: str, kept: set[str]) -> None:
    """Delete what is in a folder, except what is kept and the folders that lead to it."""
    for entry in os.scandir(folder):
        if entry.path in kept:
            continue
        if not entry.is_dir(follow_symlinks=False):
            os.unlink(entry.path)
        elif any(path.startswith(entry.path + "/") for path in kept):
            delete_below(entry.path, kept)
        else:
            shutil.rmtree(entry.path)


def files_below(folder: str, kept: set[str]) -> Iterator[str]:
    """Walk through files and folders, none of them held in memory for long."""
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if os.path.join(parent, name) not in kept]
        yield from folders
        yield from files
