"""The battery: hostile, broken and unlucky submissions, marked by the real judge, each with what must come of it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import notebooks
from tests.battery import cells, forgery, leaks, protocol, unlucky
from tests.battery.bench import Bench
from tests.battery.row import Row

ROWS = (*cells.ROWS, *unlucky.ROWS, *forgery.ROWS, *protocol.ROWS, *leaks.ROWS)
# What a submission prints must never reach the grader's own output, which a CI reads.
FROM_STUDENTS = ("::notice", "::stop-commands", "totalPoints")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.bubblewrap,
    pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed"),
]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A warm judge over a course folder full of canaries."""
    with Bench(tmp_path_factory.mktemp("battery")).open() as opened:
        yield opened


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_row(bench: Bench, row: Row, capfd: pytest.CaptureFixture[str]) -> None:
    """The row earns what it should, and every invariant holds after it."""
    bench.check(row)
    shown = "".join(capfd.readouterr())
    assert not [text for text in FROM_STUDENTS if text in shown]


def test_first_box_of_a_keeper_is_as_empty_as_later_ones(bench: Bench) -> None:
    """A report does not depend on whether the keeper was cold or warm."""
    assert bench.first == bench.before


def test_right_submission_earns_everything_after_all_rows(bench: Bench) -> None:
    """A keeper that has seen every row still marks a whole right submission in full, with no warning."""
    bench.check(Row("right", whole=True))


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
def test_rows_hold_for_an_ordinary_user(tmp_path: Path) -> None:
    """The same walls stand when the grader is not root, in a user namespace."""
    base = tmp_path / "nobody"
    base.mkdir()
    os.chown(base, 65534, 65534)
    for folder in (tmp_path, *list(tmp_path.parents)[:2]):
        folder.chmod(0o755)
    chosen = (
        "45_os_exit_zero-45 or 47_ or 48_fork or 63_ or 66_network_out or 72_daemon_escape or 79_ or 34_infinite_loop"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", f"--basetemp={base}/t"]
    done = subprocess.run(
        [
            "setpriv",
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
            *command,
            __file__,
            "-k",
            chosen,
            "-m",
            "not root",
        ],
        cwd=notebooks.COURSE,
        env={"PATH": os.environ["PATH"], "HOME": str(base), "PYTHONDONTWRITEBYTECODE": "1", "MPLCONFIGDIR": str(base)},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
