"""The box keeper: imports torch, runs the prelude, then forks a box for each submission.

Theory of operation. The judge starts this file, under bubblewrap as PID 1 of its own namespaces, with one end of a
socket, the control channel. On it come a set-up (prelude, given models, limits), then for each submission an `Open`.
It carries by SCM_RIGHTS the socket and the output pipe of one box; the keeper forks, the child closes the control
channel, drops what is left of its rights and serves the judge over its own socket. A box forks copies of itself
(box/serve.py), which become the keeper's children too: the judge names each of them with `Adopt`. When a box ends, its
exit status goes to the judge on the control channel alone. `Clear` kills every process but those boxes that are kept;
at a submission's end none is, and the keeper empties /tmp and /dev/shm. It says whether it could; a judge replaces a
keeper that could not.

A fork copies memory. So the keeper never reads anything of a submission, a check, or a box's socket.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import select
import socket
import sys
from typing import Any

from autograder.box import landlock, limits
from autograder.box.clean_up import empty, kill_everything, kill_others
from autograder.box.control import Adopt, Clear, Cleared, Exited, Forked, Import, Imported, Open, Ready, Setup
from autograder.box.wire import CHANNEL_LOST, receive_from, send


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
    kill_everything()


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
    """Run the prelude, then open boxes until the judge is gone (EOFError)."""
    namespace = run_prelude(setup)
    limits.default_signals()  # once more: a library may have set one
    # So that collections in a box do not touch, and thereby copy, the keeper's pages. Nothing is collected before: it
    # would take a third of a second to find 7 MB.
    gc.freeze()
    gc.enable()  # off since the start of this process
    empty(setup.scratch)  # of matplotlib's caches: the first box finds what every later one finds
    send(control, Ready(os.getpid()))
    Boxes(control, namespace, setup).keep()


class Boxes:
    """The boxes of the submission that is being marked, and the judge's wishes about them."""

    def __init__(self, control: socket.socket, namespace: dict[str, Any], setup: Setup) -> None:
        self._control = control
        self._namespace = namespace
        self._setup = setup
        self._running: dict[int, int] = {}  # the process of each box, by a descriptor that tells of its end
        self._poll = select.poll()
        self._poll.register(control, select.POLLIN)

    def keep(self) -> None:
        """Do what the judge says, and report the exit status of each box as soon as there is one."""
        while True:
            for descriptor, _ in self._poll.poll():
                if descriptor != self._control.fileno():
                    self._tell_end(descriptor)
                    continue
                match receive_from(self._control):
                    case Open(processors):
                        limits.run_on(processors)
                        self._open()
                    case Import(modules):
                        import_lazily(modules, self._setup.scratch)
                        send(self._control, Imported())
                    case Adopt(pid):
                        self._watch(pid)
                    case Clear(kept):
                        self._clear(kept)
                break  # what else was ready may be gone

    def _open(self) -> None:
        _, descriptors, _, _ = socket.recv_fds(self._control, 1, 2)
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                self._control.close()
                for handle in self._running:
                    os.close(handle)
                run_box(descriptors, self._namespace, self._setup)
                status = 0  # the judge has closed the channel
            except OSError:
                status = CHANNEL_LOST
            finally:
                os._exit(status)
        for descriptor in descriptors:
            os.close(descriptor)
        self._watch(pid)
        send(self._control, Forked(pid))

    def _watch(self, pid: int) -> None:
        try:
            handle = os.pidfd_open(pid)
        except OSError:  # the copy is gone already, and nobody knows how
            send(self._control, Exited(pid, CHANNEL_LOST))
            return
        self._running[handle] = pid
        self._poll.register(handle, select.POLLIN)

    def _forget(self, handle: int) -> int:
        self._poll.unregister(handle)
        os.close(handle)
        return self._running.pop(handle)

    def _tell_end(self, handle: int) -> None:
        pid = self._forget(handle)
        try:
            status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        except ChildProcessError:  # it has found another parent, or was no copy
            status = CHANNEL_LOST
        send(self._control, Exited(pid, status))

    def _clear(self, kept: list[int]) -> None:
        boxes = list(self._running.values())
        for handle, pid in list(self._running.items()):
            if pid not in kept:
                self._forget(handle)
        if kept:
            clean = kill_others(kept)
        else:
            clean = kill_everything(boxes, self._setup.user) and empty(self._setup.scratch)
        send(self._control, Cleared(clean))


def run_prelude(setup: Setup) -> dict[str, Any]:
    """Return a namespace with the notebook's given definitions and the given models."""
    import torch

    from autograder.box import serve  # imported here, once, so that a fork finds it ready

    torch.set_num_threads(1)  # a forked OpenMP pool hangs
    return serve.prepare(setup.prelude, setup.givens)


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
    serve(channel, namespace, setup.elsewhere, setup.functions)


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


if __name__ == "__main__":
    main()
