"""A class some of whose processes are killed at random moments: nothing is lost, doubled or left behind."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from autograder import processes
from tests.fake_judge import hand_in, small_course
from tests.test_pool import until

ROOT = Path(__file__).parents[1]


@dataclass
class Run:
    """Grades a class, in processes that may be killed."""

    command: list[str]
    course: Path
    temporary: Path
    seen: set[tuple[int, str]] = field(default_factory=set)  # processes, each with the time of its start

    def start(self) -> subprocess.Popen[bytes]:
        """Start the command."""
        environment = {**os.environ, "TMPDIR": str(self.temporary)}
        nothing = subprocess.DEVNULL
        return subprocess.Popen(self.command, cwd=ROOT, env=environment, stdout=nothing, stderr=nothing)

    def family(self, pid: int) -> list[int]:
        """Return the command's process and all that it has started."""
        found = [pid, *processes.descendants(pid)]
        self.seen.update((one, started) for one in found if (started := when_started(one)))
        return found

    def undisturbed(self) -> dict[str, str]:
        """Run to the end and return the reports."""
        run = self.start()
        while run.poll() is None:
            self.family(run.pid)
            time.sleep(0.1)
        assert run.returncode == 0
        return self.reports()

    def reports(self) -> dict[str, str]:
        """Return what is in the folder of results for people, without the reports' seconds."""
        found = {}
        for path in sorted((self.course / "results").iterdir()):
            if path.suffix == ".json":
                found[path.name] = json.dumps(json.loads(path.read_text()) | {"seconds": 0})
            elif path.suffix == ".csv":
                found[path.name] = path.read_text()
            elif path.is_file():
                found[path.name] = ""
        return found

    def forget(self) -> None:
        """Remove all that a run has made."""
        shutil.rmtree(self.course / "results")

    def disturb(self, kills: int, seed: int, slowest: float) -> Iterator[dict[str, str]]:
        """Kill so many processes, each after a random time, and start again; yield what came of each whole class."""
        chance = random.Random(seed)
        while kills:
            run = self.start()
            while kills and run.poll() is None:
                time.sleep(chance.uniform(0.0, slowest))
                if run.poll() is None:
                    os.kill(chance.choice(self.family(run.pid)), signal.SIGKILL)
                    kills -= 1
            if run.wait() == 0 and kills:
                yield self.reports()
                self.forget()
        yield self.undisturbed()

    def left(self) -> list[int]:
        """Return the processes that are still there."""
        return [pid for pid, started in self.seen if when_started(pid) == started]


def when_started(pid: int) -> str:
    """Return when a process was started, "" for one that has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]


@pytest.fixture
def temporary() -> Iterator[Path]:
    """Return a folder for temporary files with a short name, as sockets need."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.mark.slow
def test_forty_kills_lose_nothing(tmp_path: Path, temporary: Path) -> None:
    """The main process, its workers and their server are killed; marking is stood in for, so that it is quick."""
    course = small_course(tmp_path / "course")
    for number in range(16):
        hand_in(course, f"student{number}", ("nap fine", "nap partly", "nap broken", "nap nothing")[number % 4])
    options = ["grade", "--course", str(course), "--workers", "2", "--gradebook", "none"]
    run = Run([sys.executable, "-m", "tests.fake_command", *options], course, temporary)
    expected = run.undisturbed()
    run.forget()
    for found in run.disturb(kills=40, seed=1, slowest=1.0):
        assert found == expected
    until(lambda: not run.left())
    assert list(temporary.iterdir()) == []
