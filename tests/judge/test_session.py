"""One submission in its boxes: time, cells that misbehave, and keepers that are lost."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from autograder.assignments.consistency_models.stand_in import noisy_sample
from autograder.intake.cells import RawCell
from autograder.intake.submission import Submission
from autograder.judge.session import Session
from autograder.judge.time_budget import Clock
from autograder.sandbox.keeper import Keeper, Plan
from autograder.settings import Settings
from autograder.verdict import CheckFailed, Status
from tests.boxes import COURSE, crowd, needs_bubblewrap

SETTINGS = Settings(call_seconds=2.0, cell_seconds=0.5, submission_seconds=30.0)
ANSWER = "def one(): return 1.0"


class Keepers:
    """Hands out keepers as a judge does, and counts them."""

    def __init__(self) -> None:
        self.started = 0
        self.keeper: Keeper | None = None

    def __call__(self) -> Keeper:
        if self.keeper is None or not self.keeper.usable:
            self.stop()
            self.started += 1
            self.keeper = Keeper(Plan("namespaces", COURSE, (), functions=("one", "two"))).start()
        return self.keeper

    def stop(self) -> None:
        """End the one that runs."""
        if self.keeper is not None:
            self.keeper.stop()


@pytest.fixture(scope="module")
def keepers() -> Iterator[Keepers]:
    """One keeper for all tests, as long as it lives."""
    keepers = Keepers()
    yield keepers
    keepers.stop()


sessions: list[Session] = []


@pytest.fixture(autouse=True)
def ended() -> Iterator[None]:
    """End what a test has begun."""
    yield
    while sessions:
        sessions.pop().__exit__()


def session(keeper: Callable[[], Keeper], *cells: str, settings: Settings = SETTINGS) -> Session:
    """Return the session of a notebook with these cells, whose last one answers task `one`, and three tasks."""
    own = tuple(cell(number, source, number == len(cells)) for number, source in enumerate(cells, 1))
    submission = Submission("x.ipynb", "0" * 64, own, (), {"one": (len(cells),)})
    sessions.append(Session(keeper, submission, settings, {"one": (), "two": (), "three": ("one", "two")}))
    return sessions[-1]


def cell(number: int, source: str = "", answer: bool = False) -> RawCell:
    """Return a cell of the student's own."""
    return RawCell(number, True, "one" if answer else "", source)


def outcome(session: Session, task: str, function: str = "one") -> Any:
    """Call the function in a task's box; return its value, or how it failed."""
    with session.open(task) as student:
        try:
            return student.call(function).value
        except CheckFailed as failed:
            return failed.status


FAILING = "import torch\ndef noisy_sample(*_): raise ValueError"
POINTS = "torch.ones(2, 1), torch.zeros(2, 1), torch.tensor([0.25, 0.5])"
CALLING = f"kept = noisy_sample\ndef one(): return noisy_sample({POINTS}) + kept({POINTS})"
ASKING = """
import gc
from autograder.box.answerer import Answerer
from autograder.box.messages import StandInQuestion
import torch
answerer = next(found for found in gc.get_objects() if isinstance(found, Answerer))
def one():
    question = StandInQuestion("noisy_sample", [torch.ones(2, 1), torch.ones(2, 1), torch.ones(2)])
    return 0.0 if answerer.ask(question) is None else 1.0
"""


@pytest.mark.bubblewrap
class TestStandIns:
    """The judge in place of a function that has lost its points, in real boxes."""

    pytestmark = needs_bubblewrap

    def test_calls_are_answered_by_whatever_name(self, keepers: Keepers) -> None:
        """What stands in does so under its own name, and under that by which a cell has kept the function."""
        run = session(keepers, FAILING, CALLING)
        with run.open("one") as student:
            student.stand_in("noisy_sample", noisy_sample)
            assert student.call("one").value.tolist() == [[1.5], [1.0]]
        assert outcome(run, "two") is Status.RUNTIME

    def test_box_that_is_open_is_told(self, keepers: Keepers) -> None:
        """A check may find only later that it is needed."""
        run = session(keepers, FAILING, f"def one(): return noisy_sample({POINTS})")
        with run.open("one") as student:
            with pytest.raises(CheckFailed):
                student.call("one")
            student.stand_in("noisy_sample", noisy_sample)
            assert student.call("one").value.tolist() == [[0.75], [0.5]]

    def test_nobody_is_answered_who_has_no_stand_in(self, keepers: Keepers) -> None:
        """Code that reaches the harness gets no mixtures in the box of noisy_sample itself."""
        run = session(keepers, ASKING)
        assert outcome(run, "one") == 0.0
        with run.open("one") as student:
            student.stand_in("noisy_sample", noisy_sample)
            assert student.call("one").value == 1.0


@pytest.mark.bubblewrap
class TestCells:
    """The student's own cells, in real boxes."""

    pytestmark = needs_bubblewrap

    def test_helpers_and_answers_run_in_order(self, keepers: Keepers) -> None:
        """A cell may use what an earlier one defines, and every task starts anew."""
        run = session(keepers, "count = 0", "count += 1", "def one(): return float(count)")
        assert [outcome(run, task) for task in ("one", "two")] == [1.0, 1.0]
        assert not run.state.notices

    @pytest.mark.parametrize("failing", ["1 / 0", "def f(:", "raise SystemExit", "import nothing_of_that_name"])
    def test_failing_cell_costs_nothing_else(self, keepers: Keepers, failing: str) -> None:
        """An exception in a cell of one's own is told of once, and the answer is still there."""
        run = session(keepers, failing, ANSWER)
        assert [outcome(run, task) for task in ("one", "two")] == [1.0, 1.0]
        assert [notice.code for notice in run.state.notices.values()] == ["cell_failed"]

    def test_statements_below_a_failure_count(self, keepers: Keepers) -> None:
        """Those that do not need it; a name that is missing for it is told with that cell and its error."""
        drive = "from google.colab import drive\ndrive.mount('/content/drive')\nimport math\nroot = drive.path"
        later = "back = root / 2"
        answers = "def one(): return math.sqrt(4)\ndef two(): return root\ndef three(): return back"
        run = session(keepers, drive, later, answers)
        assert outcome(run, "one") == 2.0
        assert [(notice.code, notice.cell) for notice in run.state.notices.values()] == [
            ("cell_failed", "cell 1"),
            ("cell_failed", "cell 2"),
        ]
        why = "cell 1 raised ModuleNotFoundError (No module named 'google') at cell 1, line 1: from google.colab import"
        for name, missing in (("two", "root"), ("three", "back")):
            with run.open(name) as student, pytest.raises(CheckFailed) as failed:
                student.call(name)
            assert f"{missing} is missing because a cell above failed: {why}" in failed.value.message

    def test_magics_that_are_not_run_are_told(self, keepers: Keepers) -> None:
        """Once for a cell, as a warning."""
        run = session(keepers, "!pip install x\n%load y", ANSWER)
        assert outcome(run, "one") == 1.0
        (notice,) = run.state.notices.values()
        assert (notice.code, notice.cell) == ("magic_not_run", "cell 1")
        assert notice.message.startswith("'!pip', '%load' are not run during grading")

    @pytest.mark.parametrize(
        "ending", ["import os; os._exit(0)", "import os; os.kill(os.getpid(), 9)", "import os; os.close(3)"]
    )
    def test_cell_that_ends_its_box_is_left_out(self, keepers: Keepers, ending: str) -> None:
        """The cells run once more without it."""
        run = session(keepers, ending, ANSWER)
        assert outcome(run, "one") == 1.0
        assert list(run.state.skipped) == [1]
        assert outcome(run, "two") == 1.0
        assert [notice.code for notice in run.state.notices.values()] == ["cell_failed"]

    def test_answer_that_ends_its_box_fails_for_that_reason(self, keepers: Keepers) -> None:
        """An answer cell that ends the process is a crash of its own task, told as one."""
        run = session(keepers, "import os; os._exit(0)")
        assert outcome(run, "one") is Status.CRASH

    @pytest.mark.parametrize(
        "slow",
        [
            "while True: pass",
            "import time; time.sleep(100)",
            "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
        ],
        ids=["loop", "sleep", "stubborn"],
    )
    def test_slow_cell_is_cut_short(self, keepers: Keepers, slow: str) -> None:
        """A cell without end is cut, told of, and the answer below it gets its points."""
        run = session(keepers, slow, ANSWER)
        assert outcome(run, "one") == 1.0
        assert [notice.code for notice in run.state.notices.values()] == ["cell_cut_short"]

    def test_large_cell_of_any_letters_runs(self, keepers: Keepers) -> None:
        """A cell of two megabytes, half of them outside ASCII, is no fault of anybody's."""
        run = session(keepers, "picture = '" + "é\ud800" * 400_000 + "'", ANSWER)
        assert outcome(run, "one") == 1.0

    def test_missing_and_broken_answers_are_told_apart(self, keepers: Keepers) -> None:
        """No function, a cell that failed to define it, and one that defines another."""
        assert outcome(session(keepers, "x = 1"), "one") is Status.NOT_ATTEMPTED
        assert outcome(session(keepers, "def one(:"), "one") is Status.SYNTAX
        assert outcome(session(keepers, ANSWER), "one", "other") is Status.NOT_ATTEMPTED


@pytest.mark.bubblewrap
class TestTime:
    """The time of a submission."""

    pytestmark = needs_bubblewrap

    def test_many_slow_cells_end_within_the_submissions_time(self, keepers: Keepers) -> None:
        """Forty stubborn cells and three tasks end in time; the cells' share leaves room for the tasks."""
        settings = Settings(call_seconds=1.0, cell_seconds=1.0, submission_seconds=8.0)
        run = session(keepers, *["import time; time.sleep(100)"] * 40, ANSWER, settings=settings)
        started = time.monotonic()
        [outcome(run, task) for task in ("one", "two", "three")]
        assert time.monotonic() - started < crowd() * (settings.submission_seconds + 5)

    def test_slow_task_leaves_later_ones_their_reserve(self, keepers: Keepers) -> None:
        """A function that hangs in task one costs its limit, and task three still runs."""
        settings = Settings(call_seconds=100.0, cell_seconds=1.0, submission_seconds=10.0)
        run = session(keepers, "import time", "def one(): time.sleep(100)\ndef two(): return 2.0", settings=settings)
        assert outcome(run, "one") is Status.TIMEOUT
        assert outcome(run, "three", "two") == 2.0

    def test_dead_box_fails_the_rest_of_its_task_alike(self, keepers: Keepers) -> None:
        """After a time-out every later call of the task fails at once with the same words."""
        run = session(keepers, "def one():\n    while True: pass", settings=replace(SETTINGS, call_seconds=0.5))
        with run.open("one") as student:
            messages = []
            for _ in range(3):
                with pytest.raises(CheckFailed) as caught:
                    student.call("one")
                messages.append(caught.value.message)
        assert len(set(messages)) == 1


@pytest.mark.bubblewrap
class TestLostKeepers:
    """Keepers that die under a submission."""

    pytestmark = needs_bubblewrap

    @pytest.mark.parametrize("when", ["cells", "call"])
    def test_lost_keeper_costs_its_task_alone(self, when: str) -> None:
        """A keeper that dies, in a cell or in a call, is a crash of that task; the next one has a new keeper."""
        keepers = Keepers()
        wait = "import time; time.sleep(100)"
        run = session(keepers, wait if when == "cells" else "pass", f"def one():\n    {wait}\ndef two(): return 2.0")
        run.keeper().wait_ready()

        def kill(*_: object) -> None:
            os.kill(keepers().pid, signal.SIGKILL)

        signal.signal(signal.SIGALRM, kill)
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        assert outcome(run, "one") is Status.CRASH
        assert run.keepers_lost == 1
        run.submission = replace(run.submission, cells=run.submission.cells[1:])
        assert outcome(run, "two", "two") == 2.0
        assert keepers.started == 2
        keepers.stop()


def test_time_of_a_submission_is_shared_out() -> None:
    """Each later task keeps a reserve of five seconds, of a short submission a twentieth."""
    clock = Clock(120.0, cells_seconds=10.0, calls_seconds=20.0)
    assert (clock.rest, clock.left(0), clock.left(7)) == (90.0, 90.0, 55.0)
    assert Clock(20.0).left(7) == 13.0
