"""Workers: one warm judge each, and nothing lost when they, or the main process, are killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from autograder.assignment import load_assignment
from autograder.grading.executors import Embedded
from autograder.grading.job import Job, Marking
from autograder.grading.pool import _mark_alone
from autograder.intake.class_folder import Handin
from autograder.report import GRADED
from autograder.settings import Settings
from tests.fake_class import grade, marked, results_of, rows
from tests.fake_judge import FakeJudge, hand_in, small_course

ROOT = Path(__file__).parents[2]


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """Return a small course in which judges leave a trace of their lives."""
    folder = small_course(tmp_path / "course")
    (folder / "lives").mkdir()
    return folder


def test_grade_keeps_one_judge_a_worker_and_closes_it(course: Path) -> None:
    """Judges stay warm from one submission to the next, and none is left open."""
    for n in range(6):
        hand_in(course, f"s{n}", "fine")
    assert grade(course, workers=2) == 0
    opened = {path.name.partition("-")[2] for path in (course / "lives").glob("opened-*")}
    closed = {path.name.partition("-")[2] for path in (course / "lives").glob("closed-*")}
    assert opened == closed
    assert 1 <= len(opened) <= 2
    assert all(path.read_text() == ".\n" for path in (course / "lives").glob("opened-*"))
    assert marked(course) == 6


def test_grade_tries_again_what_lost_its_worker(course: Path) -> None:
    """A killed worker costs nobody a report; what kills its worker again is reported as our fault."""
    for n in range(6):
        hand_in(course, f"s{n}", "fine")
    hand_in(course, "once", "kill once")
    hand_in(course, "zoe", "kill always")
    assert grade(course) == 4
    status = {row["student"]: row["status"] for row in rows(course)}
    assert Counter(status.values()) == {"graded": 7, "grader_error": 1}
    assert status["zoe"] == "grader_error"
    staff = json.loads((results_of(course) / "staff" / "zoe.json").read_text())["staff"]
    assert "ended two workers" in staff["fault"]


def test_a_worker_lost_alone_once_is_no_fault_of_the_submission(course: Path) -> None:
    """One that was out when its neighbour ended a worker, and then loses one itself, is tried once more."""
    notebook = hand_in(course, "once", "kill once")
    marking = Marking(load_assignment(course), Settings(), "namespaces", FakeJudge)
    assert _mark_alone(Job(Handin("once", notebook), marking), Embedded(1)).status == GRADED


STUBBORN = """
import time
from autograder.grading import worker
worker.PATIENCE_SECONDS = 0.2
worker.prepare_worker()
while True:
    try:
        print("ready", flush=True)
        time.sleep(60)
    except SystemExit:
        pass
"""


def test_a_worker_ends_even_where_what_it_marks_catches_the_exception() -> None:
    """A pool that has lost one worker tells the others to end, and waits for them without an end of its own."""
    with subprocess.Popen([sys.executable, "-c", STUBBORN], cwd=ROOT, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
        worker.terminate()
        try:
            assert worker.wait() == -signal.SIGALRM
        finally:
            worker.kill()


@contextmanager
def started(course: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """Start grading in a process group of its own, as a terminal would; in the end nothing of it is left."""
    command = [
        sys.executable,
        "-m",
        "tests.fake_command",
        "grade",
        "--course",
        str(course),
        "--workers",
        "2",
        "--gradebook",
        "none",
        *options,
    ]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as run:
        try:
            yield run
        finally:
            with suppress(ProcessLookupError):
                os.killpg(run.pid, signal.SIGKILL)


def until(condition: Callable[[], object]) -> None:
    """Wait until something is so; however busy the machine is, it comes to be so in time."""
    deadline = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def processes_of(group: int) -> list[int]:
    """Return the processes of a session that are still alive."""
    alive = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == group and fields[0] != "Z":
                alive.append(int(entry.name))
    return alive


def busy_class(course: Path) -> Path:
    """Hand in one submission that is done at once and two that take long; return the first's report."""
    hand_in(course, "ada", "fine")
    hand_in(course, "ben", "wait")
    hand_in(course, "cleo", "wait")
    return results_of(course) / "staff" / "ada.json"


def test_grade_interrupted_ends_cleanly_and_goes_on(course: Path) -> None:
    """Ctrl-C, which reaches the whole group: code 130, no trace, no process left, what is done stays."""
    done = busy_class(course)
    with started(course) as run:
        until(done.exists)
        os.killpg(run.pid, signal.SIGINT)
        out, err = run.communicate()
        assert (run.returncode, out) == (130, "")
        assert "Traceback" not in err
        assert "interrupted" in err
        until(lambda: not processes_of(run.pid))
    opened = {path.name.partition("-")[2] for path in (course / "lives").glob("opened-*")}
    assert opened == {path.name.partition("-")[2] for path in (course / "lives").glob("closed-*")}
    marked(course)
    for student in ("ben", "cleo"):
        hand_in(course, student, "fine")
    assert grade(course) == 0
    assert marked(course) == 2


def test_grade_interrupted_while_workers_start_says_one_sentence(course: Path) -> None:
    """Ctrl-C at once, while the server that starts workers is still importing: no trace of it on the terminal."""
    busy_class(course)
    with started(course) as run:
        until(lambda: any(b"forkserver" in command_of(pid) for pid in processes_of(run.pid)))
        os.killpg(run.pid, signal.SIGINT)
        out, err = run.communicate()
        until(lambda: not processes_of(run.pid))
    assert (run.returncode, out) == (130, "")
    assert err == "autograder: interrupted; the results so far are kept, and the same command resumes\n"


def command_of(pid: int) -> bytes:
    """Return the command line of a process, nothing for one that has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def test_grade_killed_leaves_no_worker_and_goes_on(course: Path) -> None:
    """After SIGKILL to the main process its workers end by themselves, and a new run does the rest."""
    done = busy_class(course)
    with started(course) as run:
        until(done.exists)
        run.kill()
        run.communicate()
        until(lambda: not processes_of(run.pid))
    shutil.copy(results_of(course) / "ada.json", results_of(course) / ".0011223344556677.tmp")
    marked(course)
    for student in ("ben", "cleo"):
        hand_in(course, student, "fine")
    assert grade(course) == 0
    assert marked(course) == 2
    assert not list(results_of(course).glob(".*"))
