"""Starts, limits and kills the processes that run student code.

Theory of operation. A `Keeper` is one sandboxed process that has imported torch and run the prelude; it forks a `Box`
for each submission in milliseconds (box/keeper.py tells its side), and a box forks copies of itself. Judge and keeper
share the control channel, judge and box a socket of their own. Only the keeper's word on the control channel says how
a box ended. A keeper that could not clean up after a submission, or does not answer, is killed and replaced:
everything in its namespaces dies with it.
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

from autograder.box.control import Adopt, Clear, Cleared, Exited, Forked, Import, Imported, Open, Ready, Setup
from autograder.box.messages import Model
from autograder.box.schema import Message
from autograder.box.wire import WireError, encode, receive_from, send
from autograder.errors import GraderFault, IsolationMissing
from autograder.sandbox import bubblewrap, procfs
from autograder.sandbox.box import MAX_SCRATCH_FILES, Box
from autograder.sandbox.box_failure import KeeperLost
from autograder.sandbox.launch import END_SECONDS, Launched, Place, imported_by
from autograder.sandbox.line import Line
from autograder.sandbox.seccomp import filter_program
from autograder.system import affinity

START_SECONDS = 120.0  # importing torch takes two; a cold disk and a loaded machine take long
WALK_SECONDS = 1.0
COPIES = 4  # of a box, beside two for each function: the run itself, and what tasks without a function ask
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
    functions: tuple[str, ...] = ()  # that the tasks ask for
    secret_folders: tuple[Path, ...] = field(default=())  # beside the course: covered in the box too

    @property
    def most_processes(self) -> int:
        """What the boxes of a submission may have: the student's own processes, and two copies for each function."""
        return self.processes + 2 * len(self.functions) + COPIES

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
        self._boxes: set[int] = set()  # that run, by their process as the keeper sees it
        self._exits: dict[int, int] = {}  # how others have ended
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
        line = Line()
        try:
            send(self.control, Open(affinity.allowed()))
            socket.send_fds(self.control, [b"."], line.theirs)
            inside = self._expect(Forked).pid
            self._boxes.add(inside)
        except (OSError, EOFError) as error:
            line.close()
            raise KeeperLost(str(error)) from None
        except BaseException:
            line.close()
            raise
        finally:
            line.close_theirs()
        return Box(self, line, inside, procfs.seen_from_outside(self.pid, inside))

    def adopt(self, pid: int) -> None:
        """Have the keeper tell how a box's copy ends, `pid` as the keeper sees it; raises KeeperLost."""
        try:
            send(self.control, Adopt(pid))
            self._boxes.add(pid)
        except OSError as error:
            raise KeeperLost(str(error)) from None

    def hear(self, seconds: float = END_SECONDS) -> None:
        """Note which box has ended, and how, as the keeper tells it; raises KeeperLost and TimeoutError."""
        self._note(self._expect(Exited, seconds))

    def _note(self, exited: Exited) -> None:
        self._boxes.discard(exited.pid)
        self._exits[exited.pid] = exited.status

    def others(self, pids: set[int]) -> list[int]:
        """Return the processes that run below the keeper but for these."""
        return [pid for pid in procfs.descendants(self.pid) if pid not in pids and procfs.runs(pid)]

    def busy_threads(self) -> int:
        """Return how many threads a submission has, without those of boxes that wait while one of them is asked."""
        threads = procfs.thread_count(list(procfs.descendants(self.pid)))
        return max(1, threads - max(0, len(self._boxes) - 1))

    def has_ended(self, pid: int) -> bool:
        """Say whether the keeper has told of a box's end."""
        return pid in self._exits

    def exit_of(self, pid: int, seconds: float) -> int | None:
        """Return the exit status of a box where the keeper tells it in this time; None while the box is alive."""
        end = time.monotonic() + seconds
        with contextlib.suppress(TimeoutError):
            while pid not in self._exits:
                self.hear(max(0.001, end - time.monotonic()))
        return self._exits.get(pid)

    def clear(self, kept: list[int] | None = None) -> bool:
        """Kill every process but these boxes, and wait until that is done; False where it could not be.

        With none of them the scratch folders are emptied too.
        """
        try:
            send(self.control, Clear(kept or []))
            clean = self._expect(Cleared).clean
        except (OSError, EOFError, KeeperLost):
            self._dirty = True
            self.stop()
            return False
        self._boxes &= set(kept or [])
        if not kept:
            self._exits.clear()
            self._dirty = not clean
        return clean

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
        processes = plan.most_processes
        if os.geteuid() != 0 and (plan.isolation == "process" or not procfs.counted_by_namespace()):
            processes += procfs.tasks_of_user(os.geteuid())
        scratch = self._launched.scratch if self._launched is not None else None
        spared = () if namespaces else (os.getpid(), self.pid)
        return Setup(
            prelude=list(plan.prelude),
            givens=dict(plan.givens),
            elsewhere=list(plan.elsewhere),
            functions=list(plan.functions),
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
            while type(message := self._message(seconds)) is Exited and kind is not Exited:
                self._note(message)
        except TimeoutError:
            raise
        except (OSError, EOFError) as error:
            raise KeeperLost(str(error)) from None
        if type(message) is not kind:
            raise KeeperLost(f"the keeper said {type(message).__name__} where {kind.__name__} was due")
        return message
