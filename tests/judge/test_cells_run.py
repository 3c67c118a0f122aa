"""The student's cells run once, and each answer is judged where it stands: in real boxes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autograder.sandbox import procfs
from autograder.settings import Settings
from autograder.verdict import Status
from tests.boxes import needs_bubblewrap
from tests.judge.test_session import SETTINGS, Keepers, ended, keepers, outcome, session

__all__ = ["ended", "keepers"]
pytestmark = needs_bubblewrap

COUNT = "open('/tmp/count', 'a').write('x')"
BOTH = "def one(): return float(len(open('/tmp/count').read()))\ndef two(): return one()"
THREAD = "import threading, time; threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()"
MANY_THREADS = "import torch; torch.set_num_threads(4); torch.ones(600, 600) @ torch.ones(600, 600)"


def both(run: object) -> list[object]:
    """Return what both functions answer, each in its own task."""
    return [outcome(run, "one"), outcome(run, "two", "two")]  # type: ignore[arg-type]


def test_cells_run_once_for_all_tasks(keepers: Keepers) -> None:
    """What a cell has left in /tmp is there for every task, once."""
    assert both(session(keepers, COUNT, BOTH)) == [1.0, 1.0]


@pytest.mark.parametrize(
    "spoiling", ["sum = list = 3", "del helper", "def helper(): return 5.0", "import os; os._exit(0)"]
)
def test_later_cells_take_nothing_from_an_answer(keepers: Keepers, spoiling: str) -> None:
    """Names that a later cell binds anew are no part of an answer above it."""
    answer = "def helper(): return 1.0\ndef one(): return float(sum(list((helper(),))))"
    assert outcome(session(keepers, answer, spoiling), "one") == 1.0


def test_last_definition_counts_where_it_stands(keepers: Keepers) -> None:
    """A later cell that defines the function again is judged in the place of the first."""
    cells = "def one(): return 1.0", "value = 2.0", "def one(): return value", "value = 3.0"
    assert outcome(session(keepers, *cells), "one") == 2.0


@pytest.mark.parametrize("later", ["one = one", "one = 3.0", "del one", "def other(): return one()"])
def test_cell_that_defines_nothing_new_is_not_where_an_answer_stands(keepers: Keepers, later: str) -> None:
    """Only another callable under its name is another answer."""
    assert outcome(session(keepers, "value = 1.0\ndef one(): return value", f"value = 2.0\n{later}"), "one") == 1.0


def test_helper_below_an_answer_is_found(keepers: Keepers) -> None:
    """A name that only a later cell defines: the answer is asked again at the end of the notebook."""
    run = session(keepers, "def one(): return helper()", "def helper(): return 1.0")
    assert outcome(run, "one") is Status.RUNTIME
    assert run.run_again()
    assert outcome(run, "one") == 1.0
    assert not run.run_again()


def test_name_that_nobody_defines_is_not_waited_for(keepers: Keepers) -> None:
    """It fails as it stands."""
    run = session(keepers, "def one(): return helper()", "x = 1")
    assert outcome(run, "one") is Status.RUNTIME
    assert not run.run_again()


@pytest.mark.parametrize("end", ["os._exit(0)", "os.kill(os.getpid(), 11)", "os.kill(-1, 11)", "os.kill(-1, 19)"])
def test_answer_that_ends_its_box_ends_no_other(keepers: Keepers, end: str) -> None:
    """Not even one that kills whatever it may: the cells run once more for the next task."""
    run = session(keepers, f"import os\ndef one(): {end}\ndef two(): return 2.0", settings=Settings(call_seconds=1.0))
    assert outcome(run, "one") in (Status.CRASH, Status.TIMEOUT, None)  # kill(-1) spares who calls it
    assert outcome(run, "two", "two") == 2.0


@pytest.mark.parametrize("cell", [THREAD, MANY_THREADS], ids=["thread", "torch"])
def test_threads_of_a_cell_are_there_for_each_task(keepers: Keepers, cell: str) -> None:
    """No copy would have them, so the cells run once more for the task alone."""
    answer = "import os\ndef one(): return float(len(os.listdir('/proc/self/task')) > 1)\ndef two(): return one()"
    assert both(session(keepers, cell, answer, "x = 1")) == [1.0, 1.0]


def test_monitor_of_a_progress_bar_does_not_count(keepers: Keepers) -> None:
    """Tqdm has a thread that redraws bars."""
    bar = "from tqdm import tqdm\nfor _ in tqdm(range(3)): pass"
    run = session(keepers, COUNT, bar, BOTH, "x = 1")
    assert both(run) == [1.0, 1.0]


def test_what_a_task_has_started_ends_with_it(keepers: Keepers) -> None:
    """A process that outlives its call is gone when the next task begins."""
    starting = (
        "def one():\n    pid = os.fork()\n    if pid == 0:\n        os.setsid(); time.sleep(1000)\n    return pid"
    )
    looking = "def two(pid): return os.path.exists(f'/proc/{pid}')"
    run = session(keepers, "import os, time", f"{starting}\n{looking}")
    with run.open("one") as student:
        pid = student.call("one").value
        assert student.call("two", pid).value
    with run.open("two") as student:
        assert not student.call("two", pid).value


def test_nothing_is_left_of_a_submission(keepers: Keepers) -> None:
    """Run, copies, and what they have started end with the session."""
    run = session(keepers, "import subprocess\nsubprocess.Popen(['sleep', '1000'])", "def one(): return 1.0", "x = 1")
    assert outcome(run, "one") == 1.0
    run.__exit__()
    assert keepers().usable
    assert procfs.children(keepers().pid) == []


def test_slow_cells_leave_the_tasks_their_time(keepers: Keepers) -> None:
    """Cells may take long until the tasks' reserve is reached, then a second each, then nothing."""
    settings = Settings(call_seconds=1.0, cell_seconds=2.0, submission_seconds=8.0)
    run = session(keepers, *["import time; time.sleep(100)"] * 9, "def one(): return 1.0", settings=settings)
    assert outcome(run, "one") is Status.TIMEOUT  # its own cell was left out
    assert run.state.clock.cells_seconds < 8.0
    messages = {notice.message.rpartition(": ")[2] for notice in run.state.notices.values()}
    assert any("took all of their time" in message for message in messages)


def test_clock_counts_each_cell_once(keepers: Keepers) -> None:
    """Three tasks after a cell of half a second: half a second."""
    run = session(keepers, "import time; time.sleep(0.3)", BOTH, settings=SETTINGS)
    outcome(run, "one"), outcome(run, "two", "two"), outcome(run, "three")
    assert 0.25 < run.state.clock.cells_seconds < 0.6


ENDED = "import subprocess, sys, time\nchild = subprocess.Popen([sys.executable, '-c', 'pass'])\ntime.sleep(0.2)"
HELPER = """
import multiprocessing
context = multiprocessing.get_context("fork")
here, there = context.Pipe()
def serve():
    while True:
        there.send(there.recv() * 2)
context.Process(target=serve, daemon=True).start()
"""
ASKING = "def one():\n    here.send(1.0)\n    return here.recv()"


def test_child_that_has_ended_is_no_reason_to_run_the_cells_again(keepers: Keepers) -> None:
    """Nobody has asked how it ended, and nobody but the cells' own process could."""
    assert both(session(keepers, f"{ENDED}\n{COUNT}", BOTH, "x = 1")) == [1.0, 1.0]


def test_processes_of_the_cells_live_as_long_as_the_submission(keepers: Keepers) -> None:
    """Through a later definition of the answer, and from one task to the next."""
    run = session(
        keepers, HELPER, "def one(): return 0.0", f"{ASKING}\ndef two(): return one()", "here.send(0)\nhere.recv()"
    )
    assert both(run) == [2.0, 2.0]
    assert not run.state.notices


def test_notebook_that_never_says_what_it_defines_ends_in_time(keepers: Keepers) -> None:
    """What is asked about names below an answer is on the submission's clock, and asked in vain once."""
    names = "def one(): raise NameError(' '.join(f\"name 'a{i}' is not defined\" for i in range(9)))"
    silent = "import time\nfrom autograder.box.answerer import Answerer\nAnswerer.answer = lambda *_: time.sleep(1000)"
    run = session(keepers, names, silent, settings=replace(SETTINGS, call_seconds=0.5))
    assert outcome(run, "one") is Status.RUNTIME
    before = run.state.clock.rest
    assert not run.run_again()
    assert 0.3 < before - run.state.clock.rest < 1.5
