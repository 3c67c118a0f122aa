"""Boxes and keepers that are killed from outside cost a submission nothing; what kills itself is its own crash."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from autograder.errors import GraderFault
from autograder.judge.judge import Judge
from autograder.report import Report
from autograder.sandbox import procfs
from autograder.sandbox.box import Box
from autograder.sandbox.box_failure import KeeperLost
from autograder.settings import Settings
from tests import notebooks
from tests.boxes import needs_bubblewrap

pytestmark = needs_bubblewrap

SETTINGS = Settings(call_seconds=3.0, cell_seconds=3.0, submission_seconds=60.0)
OWN_CELLS = "import os\nprint('once a box')\nopen('/tmp/mine', 'w').close()\n1 / 0"
ENDS_ITSELF = "import os\nos.kill(os.getpid(), 9)"


class Killer:
    """Kills, from outside, what a request goes to; counts the requests."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        self.at: dict[int, Callable[[Box], int]] = {}
        request = Box.request

        def killing(box: Box, *arguments: Any, **keywords: Any) -> Any:
            self.count += 1
            if whom := self.at.get(self.count):
                os.kill(whom(box), signal.SIGKILL)
            return request(box, *arguments, **keywords)

        monkeypatch.setattr(Box, "request", killing)


@pytest.fixture
def killer(monkeypatch: pytest.MonkeyPatch) -> Killer:
    """Return a killer that has nobody to kill yet."""
    return Killer(monkeypatch)


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    """One warm judge."""
    with Judge(notebooks.assignment(), SETTINGS) as judge:
        yield judge


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a right submission with a cell that fails."""
    return notebooks.write(notebooks.add_code(notebooks.reference_notebook(), OWN_CELLS), tmp_path_factory.mktemp("x"))


@pytest.fixture(scope="module")
def undisturbed(judge: Judge, path: Path) -> tuple[str, int]:
    """Return the report on it, and how many requests that took."""
    with pytest.MonkeyPatch.context() as patch:
        killer = Killer(patch)
        return told(judge.mark(path, "ada")), killer.count


def told(report: Report) -> str:
    """Return a report without its time."""
    return replace(report, seconds=0.0).to_json()


def the_box(box: Box) -> int:
    """Return the box itself."""
    return box.pid


def the_keeper(box: Box) -> int:
    """Return the keeper, with which its boxes end."""
    (pid,) = [pid for pid in procfs.descendants(os.getpid()) if box.pid in procfs.children(pid)]
    return pid


@pytest.mark.parametrize(
    ("whom", "share"),
    [
        (the_box, 0.4),
        (the_keeper, 0.4),
        pytest.param(the_box, 0.02, marks=pytest.mark.full),
        pytest.param(the_box, 0.97, marks=pytest.mark.full),
    ],
)
def test_a_kill_from_outside_leaves_no_trace(
    judge: Judge, path: Path, undisturbed: tuple[str, int], killer: Killer, whom: Callable[[Box], int], share: float
) -> None:
    """Wherever it strikes, in a cell, in a check or in a training, the report is the same."""
    killer.at = {1 + int(share * undisturbed[1]): whom}
    report = judge.mark(path, "ada")
    assert told(report) == undisturbed[0]
    assert len(report.staff["tried_again"]) == 1


@pytest.mark.full
def test_kills_at_different_places_leave_no_trace(
    judge: Judge, path: Path, undisturbed: tuple[str, int], killer: Killer
) -> None:
    """A machine short of memory kills more than once; a submission that dies by itself does so at one place."""
    killer.at = dict.fromkeys((5, 12, 70), the_box)
    assert told(judge.mark(path, "ada")) == undisturbed[0]


def test_what_kills_itself_is_a_crash_of_its_task_alone(judge: Judge, tmp_path: Path, killer: Killer) -> None:
    """It dies again at the same place, so it is believed after two runs, and marked the same each time."""
    answers = {"ema_update": f"def ema_update(online, target, decay):\n    {ENDS_ITSELF.replace(chr(10), '; ')}"}
    path = notebooks.write(notebooks.reference_notebook(answers), tmp_path)
    first, second = judge.mark(path, "ada"), judge.mark(path, "ada")
    assert told(first) == told(second)
    assert first.staff["tried_again"] == ["ema_update"]
    statuses = Counter(check.status.value for task in first.tasks for check in task.checks)
    assert statuses["crash"] == len(next(task for task in first.tasks if task.id == "ema_update").checks)
    assert "SIGKILL" in first.to_json()


def test_a_keeper_that_is_killed_while_it_starts_is_started_again(
    judge: Judge, path: Path, undisturbed: tuple[str, int]
) -> None:
    """No student code was there yet, so nothing is held against anybody."""
    judge._start_keeper()
    os.kill(judge._keeper.pid, signal.SIGKILL)  # type: ignore[union-attr]
    assert told(judge.mark(path, "ada")) == undisturbed[0]


def test_keepers_that_never_start_are_our_own_fault(judge: Judge, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that kills every keeper cannot mark: no submission is blamed."""

    def killed(*_: object) -> None:
        raise KeeperLost("killed")

    monkeypatch.setattr("autograder.sandbox.keeper.Keeper.wait_ready", killed)
    with pytest.raises(GraderFault, match="killed 3 times while it started"):
        judge.mark(path, "ada")
