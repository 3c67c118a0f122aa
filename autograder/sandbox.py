"""Starts, limits and kills the processes that run student code.

Theory of operation. A `Keeper` is one sandboxed process that has imported torch and run the prelude; it forks a `Box`
for each task in milliseconds (box/keeper.py tells its side). Judge and keeper share the control channel, judge and box
a socket of their own. Only the keeper's word on the control channel says how a box ended. A keeper that could not
clean up after a box, or does not answer, is killed and replaced: everything in its namespaces dies with it.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from autograder import bubblewrap, processes
from autograder.channel import MAX_SCRATCH_FILES, Box, KeeperLost
from autograder.errors import GraderFault, IsolationMissing
from autograder.seccomp import filter_program
from autograder.wire import WireError, encode, receive_from, send

ISOLATIONS = ("namespaces", "process")
START_SECONDS = 120.0  # importing torch takes two; a cold disk and a loaded machine take long
END_SECONDS = 15.0  # the keeper's own patience with what it kills is shorter
WALK_SECONDS = 1.0
MIB = 1 << 20
START = "import sys; sys.path.insert(0, sys.argv.pop(1)); from autograder.box.keeper import main; main()"


@dataclass(frozen=True)
class Plan:
    """What every box of a keeper gets."""

    isolation: str
    course: Path
    prelude: tuple[str, ...]
    teacher: dict[str, Any] | None
    memory_bytes: int = 2048 * MIB
    processes: int = 32
    cpu_seconds: int = 150
    kept_output_bytes: int = 64 * 1024
    secret_folders: tuple[Path, ...] = field(default=())  # beside the course: covered in the box too


class Keeper:
    """The keeper as the judge sees it. `start` returns at once; the first box waits until it is ready."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.control: socket.socket
        self.pid = 0  # as this machine counts, not as the keeper sees itself
        self.report: dict[str, Any] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._scratch: str | None = None
        self._errors: IO[bytes] | None = None
        self._handle = -1  # a pidfd of the keeper
        self._walked = 0.0
        self._use = processes.ScratchUse()
        self._ready = False
        self._dirty = False

    def start(self) -> Keeper:
        """Start the process and send it its set-up; raises IsolationMissing where the walls cannot be had."""
        self.control, theirs = socket.socketpair()
        info_read, info_write = os.pipe()
        with theirs, open(info_read, encoding="utf-8") as info:
            try:
                self._launch(theirs.fileno(), info_write)
            except BaseException:
                self.control.close()
                raise
            finally:
                os.close(info_write)
            self.pid = self._host_pid(info.read() if self.plan.isolation == "namespaces" else "")
        with contextlib.suppress(OSError):
            self._handle = os.pidfd_open(self.pid)
        self.control.settimeout(START_SECONDS)
        with contextlib.suppress(OSError):  # a keeper that could not start is told of in `wait_ready`
            self.control.sendall(encode(self._setup()))
        return self

    def _launch(self, control: int, info: int) -> None:
        if not filter_program() and sys.platform == "linux":
            raise IsolationMissing(
                "libseccomp is not installed, and without its filter of system calls a box could hurt its neighbours: "
                "install it (Debian and Ubuntu: apt-get install libseccomp2)"
            )
        arguments, environment = self._command(control, info)
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - `stop` closes it
        self._process = subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=self._errors,
            stderr=self._errors,
            pass_fds=(control, info) if self.plan.isolation == "namespaces" else (control,),
            env=environment,
            start_new_session=True,
        )

    def open_box(self) -> Box:
        """Fork a box; raises KeeperLost when the keeper is gone, IsolationMissing when it never came up."""
        self.wait_ready()
        if self._dirty:
            raise KeeperLost("the keeper could not clean up after a box")
        self._walked, self._use = 0.0, processes.ScratchUse()  # what the last box left is gone, and was not this one's
        box_ours, box_theirs = socket.socketpair()
        output_read, output_write = os.pipe()
        try:
            send(self.control, {"op": "open"})
            socket.send_fds(self.control, [b"."], [box_theirs.fileno(), output_write])
            self._expect("forked")
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
        found = processes.children(self.pid)
        return found[0] if len(found) == 1 else 0

    def read_exit(self) -> int | None:
        """Return the exit status that the keeper has just announced."""
        return self._expect("exited")

    def wait_exit(self) -> int | None:
        """Wait briefly for the keeper's word on how the box ended; None when the box is still alive."""
        try:
            return self._expect("exited", seconds=1.0)
        except TimeoutError:
            return None

    def end_box(self) -> None:
        """Kill what the box has left, and wait until the keeper has cleaned up."""
        try:
            send(self.control, {"op": "end"})
            while (message := self._message(END_SECONDS))["event"] != "ended":
                pass
        except (OSError, EOFError, KeyError, KeeperLost):
            self._dirty = True
            self.stop()
            return
        self._dirty = not message["clean"]

    @property
    def usable(self) -> bool:
        """Whether another box can be opened."""
        return self._process is not None and self._process.poll() is None and not self._dirty

    def stop(self) -> None:
        """Kill the keeper and with it all that it has started; return when nothing of it runs any more."""
        self.control.close()  # without namespaces the keeper kills what is left when it sees this
        if self._process is not None:
            if self.plan.isolation == "process":
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(END_SECONDS)
            self._process.kill()
            self._process.wait()
        if self._handle >= 0:
            if self.plan.isolation == "namespaces":  # bwrap's end has killed it; its own end waits for all in it
                select.select([self._handle], [], [], END_SECONDS)
            os.close(self._handle)
            self._handle = -1
        if self._errors is not None:
            self._errors.close()
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)

    def scratch_use(self) -> processes.ScratchUse:
        """Return what lies in the scratch folders of the boxes; on disk it is counted once a second."""
        if self._scratch is None:
            return processes.mounted_use(self.pid, bubblewrap.SCRATCH)
        if time.monotonic() - self._walked > WALK_SECONDS:
            self._use = processes.folder_use(self._scratch, MAX_SCRATCH_FILES)
            self._walked = time.monotonic()
        return self._use

    def _command(self, control: int, info: int) -> tuple[list[str], dict[str, str]]:
        python = [os.path.abspath(sys.executable), "-I", "-B", "-c", START]
        if self.plan.isolation == "namespaces":
            hidden = bubblewrap.covered(self.plan.course, self.plan.secret_folders)
            return [*bubblewrap.command(hidden, info), *python, "/box", str(control), str(bubblewrap.keeper_user())], {
                "PATH": os.environ.get("PATH", "")
            }
        self._scratch = tempfile.mkdtemp(prefix="autograder-box-")
        environment = {
            **bubblewrap.ENVIRONMENT,
            "HOME": self._scratch,
            "TMPDIR": self._scratch,
            "MPLCONFIGDIR": self._scratch,
        }
        if user := bubblewrap.keeper_user():
            os.chown(self._scratch, user, user)
        return [*python, str(bubblewrap.PACKAGE.parent), str(control), "0"], environment

    def _host_pid(self, info: str) -> int:
        if self._process is None:
            return 0
        try:
            return int(json.loads(info)["child-pid"]) if info else self._process.pid
        except (ValueError, KeyError):
            return self._process.pid

    def _setup(self) -> dict[str, Any]:
        limits = {
            "memory_bytes": self.plan.memory_bytes,
            "processes": self.plan.processes,
            "cpu_seconds": self.plan.cpu_seconds,
        }
        if os.geteuid() != 0 and (self.plan.isolation == "process" or not processes.counted_by_namespace()):
            limits["processes"] += processes.tasks_of_user(os.geteuid())
        namespaces = self.plan.isolation == "namespaces"
        spared = () if namespaces else (os.getpid(), self.pid)
        return {
            "prelude": list(self.plan.prelude),
            "teacher": self.plan.teacher,
            "limits": limits,
            "seccomp": filter_program(namespaces, spared),
            "scratch": list(bubblewrap.SCRATCH) if namespaces else [self._scratch],
            "namespaces": namespaces,
            "user": bubblewrap.keeper_user(),
            "readable": [] if namespaces else self._readable(),
            "listable": [] if namespaces else list(map(str, bubblewrap.python_folders())),
        }

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
            self.report = self._message(START_SECONDS)
        except (OSError, EOFError, KeeperLost):
            raise self._failed_start() from None
        if self.report.get("event") != "ready":
            raise self._failed_start()
        self._ready = True

    def _failed_start(self) -> Exception:
        """Say why the keeper did not come up: bubblewrap's own words, or a fault of the prelude."""
        if self._process is None or self._errors is None:
            return GraderFault("the keeper was not started")
        with contextlib.suppress(subprocess.TimeoutExpired):  # so that its last words are written
            self._process.wait(1.0)
        self._errors.seek(0)
        text = self._errors.read().decode("utf-8", "replace").strip()
        if not text and self._was_killed():
            return KeeperLost("the keeper was killed before it was ready")
        if "bwrap:" in text:
            return IsolationMissing(
                f"the sandbox cannot be set up on this machine ({text.splitlines()[-1]}); `autograder doctor` says "
                "what is missing, and --isolation process does without namespaces"
            )
        return GraderFault(f"the keeper did not start: {text[-2000:] or 'no message'}")

    def _was_killed(self) -> bool:
        """Whether a signal has ended the process; bubblewrap returns 128 and more when one has ended what it runs."""
        code = self._process.poll() if self._process is not None else None
        return code is not None and (code < 0 or code > 128)

    def _message(self, seconds: float) -> dict[str, Any]:
        self.control.settimeout(seconds)
        try:
            message: dict[str, Any] = receive_from(self.control)
        except WireError as error:
            raise KeeperLost(str(error)) from None
        return message

    def _expect(self, event: str, seconds: float = END_SECONDS) -> int | None:
        """Return the status that comes with an event of the keeper; raises KeeperLost when it is gone."""
        try:
            message = self._message(seconds)
        except TimeoutError:
            raise
        except (OSError, EOFError) as error:
            raise KeeperLost(str(error)) from None
        if message.get("event") != event:
            raise KeeperLost(f"the keeper said {message.get('event')!r} where {event!r} was due")
        return message.get("status")
