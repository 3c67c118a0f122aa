"""Starts, limits and kills the processes that run student code.

Theory of operation. A `Keeper` is one sandboxed process that has imported torch and run the prelude; it forks a `Box`
for each task in milliseconds (box/keeper.py tells its side). Judge and keeper share the control channel, judge and box
a socket of their own. Only the keeper's word on the control channel says how a box ended. A keeper that could not
clean up after a box, or does not answer, is killed and replaced: everything in its namespaces dies with it.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from autograder.box.control import End, Ended, Exited, Forked, Import, Imported, Open, Ready, Setup
from autograder.box.messages import Model
from autograder.box.schema import Message
from autograder.box.wire import WireError, encode, receive_from, send
from autograder.errors import GraderFault, IsolationMissing
from autograder.sandbox import bubblewrap, procfs
from autograder.sandbox.box import MAX_SCRATCH_FILES, Box
from autograder.sandbox.box_failure import KeeperLost
from autograder.sandbox.launch import END_SECONDS, Launched, Place, imported_by
from autograder.sandbox.seccomp import filter_program
from autograder.system import affinity

START_SECONDS = 120.0  # importing torch takes two; a cold disk and a loaded machine take long
WALK_SECONDS = 1.0
MIB = 1 << 20
Said = TypeVar("Said", bound=Message)


@dataclass(frozen=True)
class Plan:
    """What every box of a keeper gets."""

    isolation: str
    course: Path
    prelude: tuple[str, ...]
    givens: Mapping[str, Model] = field(default_factory=dict)  # models that stand beside the prelude's definitions
    memory_bytes: int = 2048 * MIB
    processes: int = 32
    cpu_seconds: int = 150
    kept_output_bytes: int = 64 * 1024
    elsewhere: tuple[str, ...] = ()  # names that given cells bind which no box runs
    secret_folders: tuple[Path, ...] = field(default=())  # beside the course: covered in the box too

    @property
    def place(self) -> Place:
        """Where the keeper runs."""
        return Place(self.isolation, self.course, self.secret_folders, imported_by(self.prelude))


class Keeper:
    """The keeper as the judge sees it. `start` returns at once; the first box waits until it is ready."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.control: socket.socket
        self.pid = 0  # as this machine counts, not as the keeper sees itself
        self._launched: Launched | None = None
        self._telling: threading.Thread | None = None
        self._walked = 0.0
        self._use = procfs.ScratchUse()
        self._ready = False
        self._imported: set[str] = set()
        self._dirty = False

    def start(self, launched: Launched | None = None) -> Keeper:
        """Start the process, or take one that was started ahead, and send it its set-up; raises IsolationMissing."""
        self._launched = launched or Launched(self.plan.place)
        self.control, self.pid = self._launched.control, self._launched.pid
        self.control.settimeout(START_SECONDS)
        # It is read once the keeper has imported torch; the judge has better to do than to wait for that.
        self._telling = threading.Thread(target=self._tell, args=(encode(self._setup()),), daemon=True)
        self._telling.start()
        return self

    def _tell(self, setup: bytes) -> None:
        with contextlib.suppress(OSError):  # a keeper that could not start is told of in `wait_ready`
            self.control.sendall(setup)

    def import_ahead(self, modules: Iterable[str]) -> None:
        """Import modules, once, for all boxes to come; raises KeeperLost when the keeper is gone."""
        self.wait_ready()
        if new := [module for module in modules if module not in self._imported]:
            try:
                send(self.control, Import(new))
                self._expect(Imported, START_SECONDS)
            except OSError as error:
                raise KeeperLost(str(error)) from None
            self._imported.update(new)

    def open_box(self) -> Box:
        """Fork a box; raises KeeperLost when the keeper is gone, IsolationMissing when it never came up."""
        self.wait_ready()
        if self._dirty:
            raise KeeperLost("the keeper could not clean up after a box")
        self._walked, self._use = 0.0, procfs.ScratchUse()  # what the last box left is gone, and was not this one's
        box_ours, box_theirs = socket.socketpair()
        output_read, output_write = os.pipe()
        try:
            send(self.control, Open(affinity.allowed()))
            socket.send_fds(self.control, [b"."], [box_theirs.fileno(), output_write])
            self._expect(Forked)
        except BaseException as error:
            box_ours.close()
            os.close(output_read)
            if isinstance(error, OSError | EOFError):
                raise KeeperLost(str(error)) from None
            raise
        finally:
            box_theirs.close()
            os.close(output_write)
        return Box(self, box_ours, output_read, self.plan.kept_output_bytes)

    def box_pid(self) -> int:
        """Return the process id of the open box on this machine; 0 where /proc does not tell."""
        found = procfs.children(self.pid)
        return found[0] if len(found) == 1 else 0

    def read_exit(self) -> int:
        """Return the exit status that the keeper has just announced."""
        return self._expect(Exited).status

    def wait_exit(self) -> int | None:
        """Wait briefly for the keeper's word on how the box ended; None when the box is still alive."""
        try:
            return self._expect(Exited, seconds=1.0).status
        except TimeoutError:
            return None

    def end_box(self) -> None:
        """Kill what the box has left, and wait until the keeper has cleaned up."""
        try:
            send(self.control, End())
            while type(message := self._message(END_SECONDS)) is not Ended:
                pass
        except (OSError, EOFError, KeeperLost):
            self._dirty = True
            self.stop()
            return
        self._dirty = not message.clean

    @property
    def usable(self) -> bool:
        """Whether another box can be opened."""
        return self._launched is not None and self._launched.alive and not self._dirty

    def stop(self) -> None:
        """Kill the keeper and with it all that it has started; return when nothing of it runs any more."""
        if self._launched is not None:
            self._launched.stop()
        if self._telling is not None:  # whoever it told is gone, so it ends at once
            self._telling.join()

    def scratch_use(self) -> procfs.ScratchUse:
        """Return what lies in the scratch folders of the boxes; on disk it is counted once a second."""
        scratch = self._launched.scratch if self._launched is not None else None
        if scratch is None:
            return procfs.mounted_use(self.pid, bubblewrap.SCRATCH)
        if time.monotonic() - self._walked > WALK_SECONDS:
            self._use = procfs.folder_use(scratch, MAX_SCRATCH_FILES)
            self._walked = time.monotonic()
        return self._use

    def _setup(self) -> Setup:
        plan, namespaces = self.plan, self.plan.place.namespaces
        processes = plan.processes
        if os.geteuid() != 0 and (plan.isolation == "process" or not procfs.counted_by_namespace()):
            processes += procfs.tasks_of_user(os.geteuid())
        scratch = self._launched.scratch if self._launched is not None else None
        spared = () if namespaces else (os.getpid(), self.pid)
        return Setup(
            prelude=list(plan.prelude),
            givens=dict(plan.givens),
            elsewhere=list(plan.elsewhere),
            memory_bytes=plan.memory_bytes,
            processes=processes,
            cpu_seconds=plan.cpu_seconds,
            seccomp=filter_program(namespaces, spared),
            scratch=[scratch] if scratch is not None else list(bubblewrap.SCRATCH),
            namespaces=namespaces,
            user=bubblewrap.keeper_user(),
            readable=[] if namespaces else self._readable(),
            listable=[] if namespaces else list(map(str, bubblewrap.python_folders())),
        )

    def _readable(self) -> list[str]:
        """Return what a box without namespaces may read where Landlock can hold it to that."""
        hidden = bubblewrap.covered(self.plan.course, self.plan.secret_folders)
        return [*map(str, bubblewrap.shown(hidden)), *(str(bubblewrap.PACKAGE / name) for name in bubblewrap.BOX_FILES)]

    def wait_ready(self) -> None:
        """Return when the keeper has run the prelude.

        Raises IsolationMissing or GraderFault when that fails, KeeperLost when somebody has killed it meanwhile.
        """
        if self._ready:
            return
        try:
            if self._telling is not None:
                self._telling.join()
            ready = self._message(START_SECONDS)
        except (OSError, EOFError, KeeperLost):
            raise self._failed_start() from None
        if type(ready) is not Ready:
            raise self._failed_start()
        self._ready = True

    def _failed_start(self) -> Exception:
        """Say why the keeper did not come up: bubblewrap's own words, or a fault of the prelude."""
        if self._launched is None:
            return GraderFault("the keeper was not started")
        code = self._launched.wait(1.0)  # so that its last words are written
        text = self._launched.said()
        if not text and code is not None and (code < 0 or code > 128):  # bubblewrap adds 128 to the signal
            return KeeperLost("the keeper was killed before it was ready")
        if "bwrap:" in text:
            return IsolationMissing(
                f"the sandbox cannot be set up on this machine ({text.splitlines()[-1]}); `autograder doctor` says "
                "what is missing, and --isolation process does without namespaces"
            )
        return GraderFault(f"the keeper did not start: {text[-2000:] or 'no message'}")

    def _message(self, seconds: float) -> Any:
        self.control.settimeout(seconds)
        try:
            return receive_from(self.control)
        except WireError as error:
            raise KeeperLost(str(error)) from None

    def _expect(self, kind: type[Said], seconds: float = END_SECONDS) -> Said:
        """Return the keeper's next message, which is due to be of a kind; raises KeeperLost when the keeper is gone."""
        try:
            message = self._message(seconds)
        except TimeoutError:
            raise
        except (OSError, EOFError) as error:
            raise KeeperLost(str(error)) from None
        if type(message) is not kind:
            raise KeeperLost(f"the keeper said {type(message).__name__} where {kind.__name__} was due")
        return message
