"""Starts the process that runs the cells, and ends it when a cell does not end."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.platforms.student.check.plan import Step

GRACE_SECONDS = 5.0  # a cell that catches its interruption is ended from outside after this
_ENDED = ""


@dataclass(frozen=True)
class Outcome:
    """How a cell ended: `error` is the exception's type, "" where there was none."""

    error: str = ""
    message: str = ""
    where: str = ""  # "cell 38, line 5"
    defined: bool = False  # the task's function is there all the same
    unrun: Sequence[str] = ()  # magics and commands that were not run


TIMEOUT, GONE = "Timeout", "Gone"  # in place of an exception's type: it did not end; the process ended with it


class Runner:
    """One Python, in an empty folder: as in grading, the cells have nothing of the student's but the notebook."""

    def __init__(self, elsewhere: Iterable[str]) -> None:
        self._elsewhere = sorted(elsewhere)  # names of given cells, which may not have been run

    def __enter__(self) -> Runner:
        self._folder = tempfile.TemporaryDirectory(prefix="check-", ignore_cleanup_errors=True)
        # The package may be found from where we were started, and the child starts elsewhere.
        here = str(Path(__file__).parents[__name__.count(".")])
        path = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH", ""), here]))
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"{__package__}.child"],
            cwd=self._folder.name,
            env={**os.environ, "MPLBACKEND": "Agg", "PYTHONIOENCODING": "utf-8", "PYTHONPATH": path},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            encoding="utf-8", start_new_session=True,
        )  # fmt: skip
        self._say(self._elsewhere)
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()
        self.alive = True
        return self

    def __exit__(self, *_: object) -> None:
        self._kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        self._folder.cleanup()

    def run(self, step: Step, seconds: float) -> Outcome:
        """Run a cell; after TIMEOUT or GONE look at `alive` before running another."""
        cell = {"source": step.source, "label": step.label, "seconds": seconds}
        try:
            self._say({**cell, "kind": step.kind.value, "task": step.task})
            line = self._lines.get(timeout=seconds + GRACE_SECONDS)
        except (OSError, ValueError):
            return self._gone(GONE)
        except queue.Empty:
            return self._gone(TIMEOUT)
        return Outcome(**json.loads(line)) if line else self._gone(GONE)

    def _say(self, what: Any) -> None:
        print(json.dumps(what), file=self._process.stdin, flush=True)

    def _listen(self) -> None:
        stdout = self._process.stdout
        if stdout is not None:
            for line in stdout:
                self._lines.put(line)
        self._lines.put(_ENDED)

    def _gone(self, how: str) -> Outcome:
        self.alive = False
        self._kill()
        return Outcome(how)

    def _kill(self) -> None:
        """End it, and where the system can, what it started."""
        if hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        else:
            self._process.kill()
