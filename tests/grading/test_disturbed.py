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
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from nbgrader import api

from autograder.sandbox import procfs
from tests.boxes import needs_bubblewrap
from tests.fake_class import results_of
from tests.fake_judge import hand_in, small_course
from tests.grading.test_pool import until
from tests.sample_class import build_class

ROOT = Path(__file__).parents[2]
# Where the processes are killed is drawn with these; another seed tries other moments.
SEED = int(os.environ.get("KILL_SEED", "1"))


@dataclass
class Run:
    """Grades a class, in processes that may be killed."""

    command: list[str]
    results: Path
    temporary: Path
    seen: set[tuple[int, str]] = field(default_factory=set)  # processes, each with the time of its start
    killed: Counter[str] = field(default_factory=Counter)  # how often which kind of process

    def start(self) -> subprocess.Popen[bytes]:
        """Start the command."""
        environment = {**os.environ, "TMPDIR": str(self.temporary)}
        with open(self.temporary.with_name("said"), "ab") as said:
            return subprocess.Popen(self.command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=said)

    def family(self, pid: int) -> list[int]:
        """Return the command's process and all that it has started."""
        found = [pid, *procfs.descendants(pid)]
        self.seen.update((one, started) for one in found if (started := when_started(one)))
        return found

    def undisturbed(self) -> dict[str, bytes]:
        """Run to the end and return what is stored."""
        run = self.start()
        while run.poll() is None:
            self.family(run.pid)
            time.sleep(0.1)
        assert run.returncode == 0
        return self.stored()

    def stored(self) -> dict[str, bytes]:
        """Return the files for people, temporary ones too, without what depends on the seconds of marking."""
        found = {path.name: path.read_bytes() for path in self.results.iterdir() if path.is_file()}
        found["index.html"] = b""  # shows the seconds
        reports = {name: json.loads(text) | {"seconds": 0} for name, text in found.items() if name.endswith(".json")}
        left = {str(path): b"" for path in self.results.rglob("*.tmp")}
        return found | left | {name: json.dumps(report).encode() for name, report in reports.items()}

    def disturb(self, kills: int, pause: float) -> Iterator[dict[str, bytes]]:
        """Kill so many processes, each at a random moment, and start again; yield what came of each whole class.

        A moment is up to `pause` seconds after up to three more reports: in a start, a marking or a writing.
        """
        chance = random.Random(SEED)
        print(f"KILL_SEED={SEED}")  # noqa: T201 - pytest shows it with a failure
        while kills:
            run = self.start()
            while kills and run.poll() is None:
                wanted = self.reports() + chance.randrange(4)
                while run.poll() is None and self.reports() < wanted:
                    time.sleep(0.01)
                time.sleep(chance.uniform(0.0, pause))
                if run.poll() is None:
                    kills -= self.kill(chance.choice(self.family(run.pid)))
            assert run.wait() in (0, 4, -signal.SIGKILL)
            if run.returncode == 0 and kills:
                yield self.stored()
                shutil.rmtree(self.results)
        yield self.undisturbed()
        print(f"killed: {dict(self.killed)}")  # noqa: T201

    def reports(self) -> int:
        """Return how many reports are stored."""
        return len(list(self.results.glob("staff/*.json")))

    def kill(self, pid: int) -> int:
        """Kill a process unless it has just ended; return how many were killed."""
        kind = kind_of(pid)
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return 0
        self.killed[kind] += 1
        return 1

    def marking(self, pid: int) -> list[int]:
        """Return the workers below the command's process that have a box open."""
        above, family = procfs.parents(), self.family(pid)
        inside = {one for one in family if kind_of(one) in ("wall", "keeper or box")}
        boxes = [one for one in inside if kind_of(one) == kind_of(above.get(one, 0)) == "keeper or box"]
        workers = []
        for one in boxes:
            while one in inside:
                one = above[one]
            workers.append(one)
        return workers

    def kill_in_mid_task(self, pid: int) -> bool:
        """Kill a worker that has a box open; held still first, since it may close the box while one looks."""
        for worker in self.marking(pid)[:1]:
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGSTOP)
                caught = worker in self.marking(pid)
                os.kill(worker, signal.SIGKILL if caught else signal.SIGCONT)
                return caught
        return False

    def left(self) -> list[int]:
        """Return the processes that are still there."""
        return [pid for pid, started in self.seen if when_started(pid) == started]


def kind_of(pid: int) -> str:
    """Return what a process is for; "" for one that has ended."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""
    words = {
        "resource_tracker": "tracker",
        "forkserver": "server or worker",
        "bwrap": "wall",
        "box.keeper": "keeper or box",
    }
    return next((kind for word, kind in words.items() if word in command), "main process")


def when_started(pid: int) -> str:
    """Return when a process was started, "" for one that has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]


@contextmanager
def short_folder() -> Iterator[Path]:
    """Make a folder for temporary files with a short name, as sockets need; what is said lies beside it."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "tmp").mkdir()
        yield Path(folder) / "tmp"


@pytest.fixture
def temporary() -> Iterator[Path]:
    """Return such a folder."""
    with short_folder() as folder:
        yield folder


@pytest.mark.full
@pytest.mark.slow
def test_fifty_kills_lose_nothing(tmp_path: Path, temporary: Path) -> None:
    """The main process, its workers and their server are killed; marking is stood in for, so that it is quick."""
    course = small_course(tmp_path / "course")
    for number in range(16):
        hand_in(course, f"student{number}", ("nap fine", "nap partly", "nap broken", "nap nothing")[number % 4])
    options = ["grade", "--course", str(course), "--workers", "2", "--gradebook", "none"]
    run = Run([sys.executable, "-m", "tests.fake_command", *options], results_of(course), temporary)
    expected = run.undisturbed()
    assert len(expected) == 34  # a report and a page each, the table and the page of the class
    shutil.rmtree(run.results)
    for found in run.disturb(kills=50, pause=0.3):
        assert found == expected
    until(lambda: not run.left())
    assert [path.read_text() for path in temporary.glob("autograder-fault-*")] == []
    assert list(temporary.iterdir()) == []


@dataclass
class RealClass:
    """The sample class but for its attack, which kills its own boxes, with nbgrader's gradebook."""

    folder: Path
    expected: dict[str, bytes] = field(default_factory=dict)  # what an undisturbed run stores
    marks: list[tuple[str, float]] = field(default_factory=list)  # and enters

    def run(self, temporary: Path, *options: str) -> Run:
        """Return how to grade it, with results of its own."""
        where = ["--out", str(self.folder / "results"), "--gradebook", self.book, "--course", str(ROOT)]
        command = [sys.executable, "-m", "autograder", "grade", str(self.folder / "submitted"), "--workers", "2"]
        shutil.rmtree(self.folder / "results", ignore_errors=True)
        return Run([*command, *where, *options], self.folder / "results", temporary)

    @property
    def book(self) -> str:
        """The gradebook."""
        return f"sqlite:///{self.folder}/gradebook.db"

    def entered(self) -> list[tuple[str, float]]:
        """Return each submission of the gradebook with its score."""
        with api.Gradebook(self.book, "consistency-models") as book:
            found = book.assignment_submissions("consistency-models")
            return sorted((submission.student.id, submission.score) for submission in found)


@pytest.fixture(scope="module")
def real_class(tmp_path_factory: pytest.TempPathFactory) -> RealClass:
    """Return the class, marked without a disturbance."""
    made = RealClass(tmp_path_factory.mktemp("real"))
    build_class(ROOT, made.folder / "submitted")
    shutil.rmtree(made.folder / "submitted" / "hostile")
    with short_folder() as folder:
        run = made.run(folder)
        made.expected = run.undisturbed()
    made.marks = made.entered()
    return made


@pytest.mark.full
@pytest.mark.slow
@pytest.mark.bubblewrap
class TestRealJudge:
    """Judges, keepers and boxes of a real class."""

    pytestmark = needs_bubblewrap

    def test_six_kills_lose_nothing(self, real_class: RealClass, temporary: Path) -> None:
        """Whatever is killed, each student has the report and the mark that an undisturbed run gives, once."""
        run = real_class.run(temporary)
        for found in run.disturb(kills=6, pause=4.0):
            assert found == real_class.expected
            assert real_class.entered() == real_class.marks
        until(lambda: not run.left())
        assert list(temporary.iterdir()) == []

    def test_a_cluster_loses_a_worker_in_mid_task(self, real_class: RealClass, temporary: Path) -> None:
        """Dask marks the submission elsewhere, with the same report; nothing of the lost worker stays."""
        run = real_class.run(temporary, "--scheduler", "local")
        started = run.start()
        until(lambda: run.kill_in_mid_task(started.pid))
        while started.poll() is None:
            run.family(started.pid)
            time.sleep(0.1)
        assert started.returncode == 0
        assert run.stored() == real_class.expected
        assert real_class.entered() == real_class.marks
        until(lambda: not run.left())
