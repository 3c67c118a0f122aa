"""The battery: hostile, broken and unlucky submissions, marked by the real judge, each with what must come of it."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import notebooks
from tests.battery import cells, forgery, leaks, others, protocol, unlucky
from tests.battery.bench import Bench
from tests.battery.row import Row

ROWS = (*cells.ROWS, *unlucky.ROWS, *forgery.ROWS, *protocol.ROWS, *leaks.ROWS, *others.ROWS)
# What a submission prints must never reach the grader's own output, which a CI reads.
FROM_STUDENTS = ("::notice", "::stop-commands", "totalPoints")

NOBODY = 65534
AS_NOBODY = (
    "45_os_exit_zero_in or 47_ or 48_fork or 63_ or 66_network_out or 72_daemon_escape or 79_ or 34_infinite_loop_in"
)
# One row for each wall of docs/security.md, and for each way in which the judge reads what a student made: the rest,
# variants of these, is left to `make test-all`.
WALLS = {
    "1_truncated_json",  # a file that is none
    "12_zip_slip_bomb",  # an archive in its place
    "20_edited_tests_and_points",  # cells that are not the student's to change
    "24_magics_and_shell",  # no shell
    "28_blank_release",
    "34_infinite_loop_in_cell",  # the clock of a cell
    "39_memory_bomb_shared",  # memory, measured from outside
    "45_os_exit_zero",  # an end that looks like a success
    "46_segfault",  # only the keeper says how a box ended
    "47_kill_everyone",  # the keeper is out of reach
    "48_fork_bomb",  # the number of processes
    "51_patched_libraries",  # values are compared outside
    "55_dripping_frame",  # a call's limit counts while the box talks
    "55_forged_reply_odd_failure",  # replies are checked for their form
    "55_huge_frame",  # frames are bounded before anything is allocated
    "55_speaks_protocol",  # nobody can guess a call's number
    "56_pickle_gadget",  # nothing is unpickled
    "63_reads_tests_on_disk",  # checks, reference and grades are not mounted
    "63_reads_proc",  # nor seen by /proc
    "65_leaks_through_feedback",  # inputs in a message
    "66_network_out",  # no network
    "68_ci_secrets",  # a scrubbed environment
    "69_workflow_commands",  # nothing that a CI reads
    "70_markup_injection",  # text stays text
    "72_daemon_escape",  # all that a box started ends with it
    "75_fills_disk",  # scratch is sized
    "77_marker_for_next",  # and emptied
    "79_privilege_tour",  # no capability; system calls are filtered
}

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


@pytest.mark.parametrize(
    "row", [pytest.param(row, id=row.id, marks=() if row.id in WALLS else pytest.mark.full) for row in ROWS]
)
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


def test_row_86_clock_that_jumps_changes_no_report(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The judge measures with a clock that nobody sets: jumps of an hour, back and forth, cost nobody anything."""
    now, jumps = time.time(), itertools.cycle((0, -3600, 3600))
    monkeypatch.setattr(time, "time", lambda: now + next(jumps))
    assert bench.mark_neighbour() == bench.before


def test_each_wall_has_a_row() -> None:
    """A row that is renamed is renamed above."""
    assert {row.id for row in ROWS} >= WALLS


@pytest.mark.full
@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
def test_rows_hold_for_an_ordinary_user(tmp_path: Path) -> None:
    """The same walls stand when the grader is not root, in a user namespace."""
    home = Path(tempfile.mkdtemp(dir="/var/tmp"))  # pytest's own folders are closed to others, /tmp is the box's own
    try:
        os.chown(home, NOBODY, NOBODY)
        options = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", f"--basetemp={home}/tests", "--tb=short"]
        command = [_interpreter(home), "-m", "pytest", *options, __file__, "-k", AS_NOBODY, "-m", "not root"]
        environment = {"PATH": os.environ["PATH"], "HOME": str(home), "TMPDIR": str(home)}
        environment |= {"PYTHONDONTWRITEBYTECODE": "1", "MPLCONFIGDIR": str(home)}
        done = _as_nobody(command, environment)
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    finally:
        shutil.rmtree(home)


def _as_nobody(command: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *command],
        cwd=notebooks.COURSE,
        env=environment,
        capture_output=True,
        text=True,
        timeout=900,
    )


def _interpreter(home: Path) -> str:
    """Return an interpreter that an ordinary user can run, with this environment's packages."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = sysconfig.get_path("purelib")
    folder = home / "environment"
    # Some kernels let others start a program in a folder that is closed to them; the box could not.
    make = "import os, sys, venv; os.listdir(os.path.dirname(sys.executable)); venv.create(sys.argv[1])"
    for base in (os.path.realpath(sys.executable), f"/usr/bin/{name}", f"/usr/local/bin/{name}"):
        if os.path.exists(base) and _as_nobody([base, "-c", make, str(folder)], {}).returncode == 0:
            (folder / "lib" / name / "site-packages" / "course.pth").write_text(f"{packages}\n{notebooks.COURSE}\n")
            return str(folder / "bin" / "python")
    pytest.skip(f"no {name} on this machine can be run by an ordinary user")
