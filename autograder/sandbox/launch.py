"""Starts the process that a keeper is, and ends it with all that it has started.

Nothing here needs torch: the keeper imports it while the judge does.
"""

import ast
import contextlib
import json
import os
import select
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from autograder.errors import IsolationMissing
from autograder.sandbox import bubblewrap
from autograder.sandbox.seccomp import filter_program
from autograder.system.temporary import make_held_folder, remove_abandoned, remove_tree

END_SECONDS = 15.0  # the keeper's own patience with what it kills is shorter
SCRATCH = "autograder-box-"  # how the scratch folder of a keeper without namespaces begins
# The collector is off while torch and what the prelude needs are imported (system/imports.py says why); the keeper
# switches it on again before it forks a box.
START = (
    "import gc, sys; gc.disable(); sys.path.insert(0, sys.argv.pop(1)); from autograder.box.keeper import main; main()"
)


@dataclass(frozen=True)
class Place:
    """Where a keeper runs, and what is covered there."""

    isolation: str
    course: Path
    secret_folders: tuple[Path, ...] = field(default=())  # beside the course: covered in the box too
    imports: tuple[str, ...] = ()  # modules that the keeper imports while it waits for its set-up

    @property
    def namespaces(self) -> bool:
        """Whether the keeper has namespaces of its own."""
        return self.isolation == "namespaces"


def imported_by(cells: Iterable[str]) -> tuple[str, ...]:
    """Return the modules that these cells import at once, in order; of a cell that is no Python, none."""
    modules: dict[str, None] = {}
    for cell in cells:
        with contextlib.suppress(SyntaxError):
            for statement in ast.parse(cell).body:
                if isinstance(statement, ast.Import):
                    modules.update((name.name, None) for name in statement.names)
                elif isinstance(statement, ast.ImportFrom) and statement.module and not statement.level:
                    modules[statement.module] = None
    return tuple(modules)


class Launched:
    """A keeper's process, which imports torch and its like and then waits on `control` for its set-up."""

    def __init__(self, place: Place) -> None:
        """Start the process; raises IsolationMissing where the walls cannot be had."""
        if not filter_program() and sys.platform == "linux":
            raise IsolationMissing(
                "libseccomp is not installed, and without its filter of system calls a box could hurt its neighbours: "
                "install it (Debian and Ubuntu: apt-get install libseccomp2)"
            )
        self.place = place
        self.scratch: str | None = None
        self._held: int  # a descriptor of it, open while it is in use
        self._process: subprocess.Popen[bytes]
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - `stop` closes it
        self.control, theirs = socket.socketpair()
        info_read, info_write = os.pipe()
        with theirs, open(info_read, encoding="utf-8") as info:
            try:
                self._start(theirs.fileno(), info_write)
            except BaseException:
                self.control.close()
                self._errors.close()
                raise
            finally:
                os.close(info_write)
            self.pid = self._host_pid(info.read() if place.namespaces else "")  # as this machine counts
        self._handle = -1  # a pidfd of the keeper
        with contextlib.suppress(OSError):
            self._handle = os.pidfd_open(self.pid)

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def wait(self, seconds: float) -> int | None:
        """Return the exit status of a process that ends by itself; None when it does not in that time."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._process.wait(seconds)
        return None

    def said(self) -> str:
        """Return what the process wrote to its streams so far."""
        self._errors.seek(0)
        return self._errors.read().decode("utf-8", "replace").strip()

    def stop(self) -> None:
        """Kill the process and with it all that it has started; return when nothing of it runs any more."""
        self.control.close()  # without namespaces the keeper kills what is left when it sees this
        if not self.place.namespaces:
            self.wait(END_SECONDS)
        self._process.kill()
        self._process.wait()
        if self._handle >= 0:
            if self.place.namespaces:  # bwrap's end has killed it; its own end waits for all in it
                select.select([self._handle], [], [], END_SECONDS)
            os.close(self._handle)
            self._handle = -1
        self._errors.close()
        if self.scratch is not None:
            remove_tree(Path(self.scratch), ignore_errors=True)
            os.close(self._held)
            self.scratch = None

    def _start(self, control: int, info: int) -> None:
        arguments, environment = self._command(control, info)
        self._process = subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=self._errors,
            stderr=self._errors,
            pass_fds=(control, info) if self.place.namespaces else (control,),
            env=environment,
            start_new_session=True,
        )

    def _command(self, control: int, info: int) -> tuple[list[str], dict[str, str]]:
        # As isolated as by -I, but for the environment, which is ours alone and holds the seed of hashes.
        python = [os.path.abspath(sys.executable), "-P", "-s", "-B", "-c", START]
        imports = list(self.place.imports)
        if self.place.namespaces:
            hidden = bubblewrap.covered(self.place.course, self.place.secret_folders)
            arguments = ["/box", str(control), str(bubblewrap.keeper_user()), *imports]
            return [*bubblewrap.command(hidden, info), *python, *arguments], {"PATH": os.environ.get("PATH", "")}
        remove_abandoned(SCRATCH)
        self.scratch, self._held = make_held_folder(SCRATCH)
        environment = {
            **bubblewrap.ENVIRONMENT,
            "HOME": self.scratch,
            "TMPDIR": self.scratch,
            "MPLCONFIGDIR": self.scratch,
        }
        if user := bubblewrap.keeper_user():
            os.chown(self.scratch, user, user)
        return [*python, str(bubblewrap.PACKAGE.parent), str(control), "0", *imports], environment

    def _host_pid(self, info: str) -> int:
        try:
            return int(json.loads(info)["child-pid"]) if info else self._process.pid
        except (ValueError, KeyError):
            return self._process.pid
