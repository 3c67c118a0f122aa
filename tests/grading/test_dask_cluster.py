"""A class on a Dask cluster, and on any executor that is lent."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import dask
import pytest
from distributed import Client, LocalCluster

from autograder.errors import GraderFault, UsageError
from autograder.grading.executors import Lent
from tests.fake_class import grade, marked, report, results_of, rows
from tests.fake_judge import hand_in, small_course
from tests.grading.test_pool import busy_class, processes_of, started, until


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """Return a small course in which judges leave a trace of their lives."""
    folder = small_course(tmp_path / "course")
    (folder / "lives").mkdir()
    return folder


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    """Return a cluster as an institute would have one: its limits are its own."""
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 3}),
        LocalCluster(n_workers=2, threads_per_worker=1, memory_limit=None, dashboard_address="127.0.0.1:0") as made,
    ):
        yield made


def stored(course: Path) -> dict[str, bytes]:
    """Return the files of results by name; the fake judge takes the same time always."""
    files = [path for path in sorted(results_of(course).rglob("*")) if path.is_file()]
    return {str(path.relative_to(course)): path.read_bytes() for path in files}


def opened_and_closed(course: Path) -> tuple[set[str], set[str]]:
    """Return which processes opened a judge and which closed theirs."""
    lives = course / "lives"
    return tuple({path.name.partition("-")[2] for path in lives.glob(f"{what}-*")} for what in ("opened", "closed"))  # type: ignore[return-value]


@pytest.mark.slow
def test_grade_on_a_cluster_writes_what_a_pool_writes(course: Path, cluster: LocalCluster) -> None:
    """The files are the same to the byte, judges are warm and closed afterwards, the scheduler's limits restored."""
    for student, text in (("ada", "fine"), ("ben", "partly"), ("cleo", "broken"), ("dan", "fine"), ("eve", "nothing")):
        hand_in(course, student, text)
    assert grade(course) == 0
    expected = stored(course)
    marked(course)
    for path in (course / "lives").iterdir():
        path.unlink()
    assert grade(course, scheduler=cluster.scheduler_address, force=True) == 0
    assert stored(course) == expected
    assert marked(course) == 5
    opened, closed = opened_and_closed(course)
    assert opened == closed
    assert len(opened) <= 2
    with Client(cluster, set_as_default=False) as client:
        assert client.run_on_scheduler(lambda dask_scheduler: dask_scheduler.allowed_failures) == 3


@pytest.mark.slow
def test_cluster_tries_elsewhere_what_lost_its_worker(course: Path, cluster: LocalCluster) -> None:
    """A worker taken away costs nobody a report; a submission that ends two is reported, and the class goes on."""
    for n in range(4):
        hand_in(course, f"s{n}", "fine")
    hand_in(course, "once", "kill once")
    hand_in(course, "zoe", "kill always")
    assert grade(course, scheduler=cluster.scheduler_address) == 4
    status = {row["student"]: row["status"] for row in rows(course)}
    assert Counter(status.values()) == {"graded": 5, "grader_error": 1}
    assert status["zoe"] == "grader_error"
    staff = json.loads((results_of(course) / "staff" / "zoe.json").read_text())["staff"]
    assert "ended two workers" in staff["fault"]


@pytest.mark.slow
def test_cluster_of_this_machine_is_started_and_ended(course: Path) -> None:
    """`--scheduler local` needs no other command, and leaves no process behind."""
    hand_in(course, "ada", "fine")
    hand_in(course, "zoe", "kill always")
    assert grade(course, scheduler="local") == 4
    assert report(course, "ada")["score"] == 100.0
    assert report(course, "zoe")["status"] == "grader_error"
    pids = {int(path.name.partition("-")[2]) for path in (course / "lives").glob("opened-*")}
    until(lambda: not any(is_alive(pid) for pid in pids))


def is_alive(pid: int) -> bool:
    """Whether there is such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.slow
def test_cluster_marks_on_after_a_worker_is_taken_away(course: Path, cluster: LocalCluster) -> None:
    """A worker that somebody ends in mid-task is replaced; its submission has a report as every other."""
    for n in range(3):
        hand_in(course, f"s{n}", "fine")
    waits = hand_in(course, "slow", "wait")

    def take_away() -> None:
        until(lambda: len(list((results_of(course) / "staff").glob("s*.json"))) == 3)  # all but the last
        with Client(cluster, set_as_default=False) as client:
            pids = client.run(os.getpid)
            busy = [pids[address] for address, tasks in client.processing().items() if tasks]
        assert len(busy) == 1
        waits.write_text("fine")
        os.kill(busy[0], signal.SIGKILL)

    with ThreadPoolExecutor(1) as beside:
        ending = beside.submit(take_away)
        assert grade(course, scheduler=cluster.scheduler_address) == 0
        ending.result()
    assert {row["status"] for row in rows(course)} == {"graded"}


@pytest.mark.slow
def test_cluster_interrupted_ends_cleanly_and_goes_on(course: Path) -> None:
    """Ctrl-C, which reaches Dask's processes too: code 130, one sentence, no process left, what is done stays."""
    done = busy_class(course)
    with started(course, "--scheduler", "local") as run:
        until(done.exists)
        os.killpg(run.pid, signal.SIGINT)
        out, err = run.communicate()
        until(lambda: not processes_of(run.pid))
    assert (run.returncode, out) == (130, "")
    assert err == "autograder: interrupted; the results so far are kept, and the same command resumes\n"
    marked(course)
    for student in ("ben", "cleo"):
        hand_in(course, student, "fine")
    with ThreadPoolExecutor(1) as executor:
        assert grade(course, crew=Lent(executor, 1)) == 0
    assert marked(course) == 2


@pytest.mark.slow
def test_cluster_with_another_version_marks_nothing(course: Path, cluster: LocalCluster) -> None:
    """A worker that would mark in another way says so, instead of marks that nobody asked for."""
    hand_in(course, "ada", "fine")
    assert grade(course, scheduler=cluster.scheduler_address) == 0
    source = course / "source" / "consistency-models" / "consistency-models.ipynb"
    before = source.read_text()

    class Swapping(Lent):
        """Changes the course after the run has begun, as a folder that is not shared would differ."""

        def size(self) -> int:
            source.write_text(before + " ")
            return 1

    with ThreadPoolExecutor(1) as executor, pytest.raises(UsageError, match="would mark in another way"):
        grade(course, crew=Swapping(executor, 1), force=True)


def test_cluster_that_is_not_there_is_said(
    course: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong address is wrong usage; until that is known a person reads what is waited for."""
    hand_in(course, "ada", "fine")
    monkeypatch.setattr("autograder.grading.dask_cluster.PATIENCE_SECONDS", 1)
    with pytest.raises(UsageError, match="no Dask scheduler answers at tcp:"):
        grade(course, scheduler="tcp://127.0.0.1:1")
    assert capsys.readouterr().err == "looking for a Dask scheduler at tcp://127.0.0.1:1, for 1 s at most\n"
    with pytest.raises(UsageError, match="no Dask scheduler answers at nonsense"):
        grade(course, scheduler="nonsense://x")


def test_grade_through_any_executor(course: Path) -> None:
    """An executor of the caller's is used as it is, and left open; several threads share one judge."""
    for n in range(6):
        hand_in(course, f"s{n}", "fine")
    with ThreadPoolExecutor(3) as executor:
        assert grade(course, crew=Lent(executor, 3)) == 0
        assert executor.submit(int, "7").result() == 7
    assert marked(course) == 6
    assert len(list((course / "lives").glob("opened-*"))) == 1


def test_lent_executor_that_breaks_is_said(course: Path) -> None:
    """A broken executor is not ours to replace."""
    with ThreadPoolExecutor(1) as executor, pytest.raises(GraderFault, match="has lost a worker"):
        Lent(executor, 1).open(alone=True)
