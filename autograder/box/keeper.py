"""The box keeper: imports torch, runs the prelude, then forks a box for each task.

Theory of operation. The judge starts this file, under bubblewrap as PID 1 of its own namespaces, with one end of a
socket, the control channel. On it come a set-up (prelude, given models, limits), then pairs of `open` and `end`. `open`
carries by SCM_RIGHTS the socket and the output pipe of one box; the keeper forks, the child closes the control
channel, drops what is left of its rights and serves the judge over its own socket. When the child ends, its exit
status goes to the judge on the control channel alone. At `end` the keeper kills every process but itself, empties
/tmp and /dev/shm, and says whether it could; a judge replaces a keeper that could not.

A fork copies memory. So the keeper never reads anything of a submission, a check, or a box's socket.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import itertools
import os
import re
import select
import shutil
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autograder.box import landlock, limits
from autograder.box.control import Ended, Exited, Forked, Import, Imported, Ready, Setup
from autograder.box.wire import CHANNEL_LOST, receive_from, send

KILL_SECONDS = 10.0
KILLER_SECONDS = 1.0  # for a process that only kills others and ends
ESCAPE = re.compile(r"\\([0-7]{3})")  # how mountinfo writes spaces
MAX_LEFTOVERS = 2000  # more files than this in /tmp: cheaper to start anew than to delete


def main() -> None:
    """Serve the judge on the file descriptor named by the first argument until it closes.

    The second is the user to become (0: as it is), the others are modules that the prelude imports.
    """
    control = socket.socket(fileno=int(sys.argv[1]))
    os.set_inheritable(control.fileno(), False)
    limits.first_to_go()
    limits.keep_freed_memory()
    if user := int(sys.argv[2]):  # root behind namespaces; without them each box changes its user
        limits.become(user)
    limits.default_signals()
    limits.undumpable()
    if os.getpid() != 1 and limits.LINUX:
        limits.prctl(limits.PR_SET_CHILD_SUBREAPER, 1)  # without a namespace of our own, orphans still come to us
    import_ahead(sys.argv[3:])
    with contextlib.suppress(EOFError, ConnectionError):  # the judge is gone, and so shall we be
        setup = receive_from(control)
        keep(control, setup)
    kill_everything(0)


def import_ahead(modules: list[str]) -> None:
    """Import what a box needs and what the prelude will, while the judge is not ready to send it.

    What fails here fails again there, where it is told.
    """
    for module in ("autograder.box.serve", *modules):
        with contextlib.suppress(Exception):
            importlib.import_module(module)


def import_lazily(modules: list[str], scratch: list[str]) -> None:
    """Import what boxes will, and leave nothing of it that a later one could do without."""
    gc.disable()
    import_ahead(modules)
    gc.freeze()
    gc.enable()
    limits.default_signals()
    empty(scratch)


def keep(control: socket.socket, setup: Setup) -> None:
    """Run the prelude, then fork boxes until the judge is gone (EOFError)."""
    namespace = run_prelude(setup)
    limits.default_signals()  # once more: a library may have set one
    # So that collections in a box do not touch, and thereby copy, the keeper's pages. Nothing is collected before: it
    # would take a third of a second to find 7 MB.
    gc.freeze()
    gc.enable()  # off since the start of this process
    empty(setup.scratch)  # of matplotlib's caches: the first box finds what every later one finds
    send(control, Ready(os.getpid()))
    while True:
        request = receive_from(control)
        if type(request) is Import:
            import_lazily(request.modules, setup.scratch)
            send(control, Imported())
            continue
        limits.run_on(request.processors)
        fork_box(control, namespace, setup)


def run_prelude(setup: Setup) -> dict[str, Any]:
    """Return a namespace with the notebook's given definitions and the given models."""
    import torch

    from autograder.box import serve  # imported here, once, so that a fork finds it ready

    torch.set_num_threads(1)  # a forked OpenMP pool hangs
    return serve.prepare(setup.prelude, setup.givens)


def fork_box(control: socket.socket, namespace: dict[str, Any], setup: Setup) -> None:
    """Fork a box, tell the judge when it ends, and clean up when the judge says so."""
    _, descriptors, _, _ = socket.recv_fds(control, 1, 2)
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            control.close()
            run_box(descriptors, namespace, setup)
            status = 0  # the judge has closed the channel
        except OSError:
            status = CHANNEL_LOST
        finally:
            os._exit(status)
    for descriptor in descriptors:
        os.close(descriptor)
    send(control, Forked())
    watch(control, pid)
    clean = kill_everything(pid, setup.user) and empty(setup.scratch)
    send(control, Ended(clean))


def run_box(descriptors: list[int], namespace: dict[str, Any], setup: Setup) -> None:
    """Become a box: this process is the student's from here on."""
    from autograder.box.serve import serve

    os.setsid()  # a group and a session of its own: what a call does to its group must not reach the keeper
    channel = socket.socket(fileno=descriptors[0])
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(descriptors[1], 1)
    os.dup2(descriptors[1], 2)
    os.close(descriptors[1])
    limits.python_signals()
    limits.limit_box(setup.memory_bytes, setup.processes, setup.cpu_seconds)
    limits.forbid_new_rights()
    if not setup.namespaces:
        behind_landlock(setup)
    limits.install_filter(setup.seccomp)
    serve(channel, namespace, setup.elsewhere)


def behind_landlock(setup: Setup) -> None:
    """Without namespaces: what walls the kernel gives to any process, and a user of its own under root."""
    user = setup.user
    walled = landlock.version() > 0
    if user:
        limits.become(user, keep_search=walled)
    if not user:
        limits.prctl(limits.PR_SET_DUMPABLE, 1)  # so that the judge, who is the same user, can see its memory
    writable = [*setup.scratch, "/dev/null", "/dev/urandom"]  # no /dev/zero: a mapping of it is uncounted memory
    landlock.restrict(setup.readable, writable, setup.listable)


def watch(control: socket.socket, pid: int) -> None:
    """Wait until the judge says `end`; report the box's exit status as soon as there is one."""
    handle = os.pidfd_open(pid)
    poll = select.poll()
    poll.register(control, select.POLLIN)
    poll.register(handle, select.POLLIN)
    try:
        while True:
            ready = [descriptor for descriptor, _ in poll.poll()]
            if handle in ready:
                poll.unregister(handle)
                send(control, Exited(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])))
            if control.fileno() in ready:
                receive_from(control)  # `end`, or the judge is gone: EOFError ends the keeper and all with it
                return
    finally:
        os.close(handle)


def kill_everything(box: int, user: int = 0) -> bool:
    """Kill every process that a box may have left, and reap until none is there; False when that does not end."""
    deadline = time.monotonic() + KILL_SECONDS
    while time.monotonic() < deadline:
        if os.getpid() == 1:
            with contextlib.suppress(ProcessLookupError):
                os.kill(-1, signal.SIGKILL)
        else:
            kill_box(box, user)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return True
        time.sleep(0.001)
    return False


def kill_box(box: int, user: int) -> None:
    """Kill a box without a namespace of its own: its group, which it cannot leave, its user's and its descendants."""
    if box:
        with contextlib.suppress(OSError):
            os.killpg(box, signal.SIGKILL)
    if user and os.geteuid() == 0:
        kill_all_of(user)
    kill_tree(os.getpid())


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


def kill_tree(root: int) -> None:
    """Kill all descendants of a process; those that lose their parent come to it, its next call finds them."""
    parents: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError, ValueError):
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    family = {root}
    while found := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= found
    for pid in family - {root}:
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)


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
    """Delete what is in a folder, but for what is kept and the folders on the way there."""
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


if __name__ == "__main__":
    main()
