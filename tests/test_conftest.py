"""The rules of tests/conftest.py, tried on small tests in a process of their own."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
IN_THE_BACKGROUND = ["sh", "-c", 'trap "" INT; exec "$@"', "sh"]  # a shell lets what runs there ignore Ctrl-C
TESTS = """
import signal
import subprocess
import pytest

def knot(held):
    itself = [held]
    itself.append(itself)  # nothing but a collection unties it

@pytest.fixture
def closed():
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as process:
        yield process

def test_quick(closed): pass
def test_process(): knot(subprocess.Popen(["true"]))
def test_file(): knot(open(__file__))
def test_innocent(): assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
@pytest.mark.slow
def test_slow(): pass
@pytest.mark.xdist_group("x")
@pytest.mark.slow
def test_group(): pass
"""


def test_slow_tests_run_first_and_who_leaves_something_open_fails(tmp_path: Path) -> None:
    """The one that has done it, not whichever runs when it is collected; what a fixture closes is no fault."""
    (tmp_path / "test_some.py").write_text(TESTS)
    options = ["-p", "tests.conftest", "-p", "no:cacheprovider", "-c", "/dev/null", "--rootdir", str(tmp_path), "-v"]
    command = [*IN_THE_BACKGROUND, sys.executable, "-m", "pytest", *options, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    order = re.findall(r"::test_(\w+) PASSED", done.stdout)
    assert order == ["group", "slow", "quick", "process", "file", "innocent"], done.stdout
    faults = re.findall(r"ERROR at teardown of test_(\w+) _+\nleft open by this test.*?: (\w+)", done.stdout)
    assert faults == [("process", "subprocess"), ("file", "unclosed")], done.stdout


GROUP = """
import os
import pytest
pytestmark = pytest.mark.xdist_group("dear")

@pytest.mark.parametrize("number", range(6))
def test_one(number):
    with open(os.path.join(os.path.dirname(__file__), "workers"), "a") as file:
        file.write(os.environ["PYTEST_XDIST_WORKER"] + chr(10))
"""


def test_a_group_runs_in_one_worker(tmp_path: Path) -> None:
    """So that what its tests share is made once."""
    (tmp_path / "test_group.py").write_text(GROUP)
    (tmp_path / "test_other.py").write_text(
        "import pytest\n@pytest.mark.parametrize('n', range(6))\ndef test_n(n): pass"
    )
    options = ["-p", "tests.conftest", "-p", "no:cacheprovider", "-c", "/dev/null", "--rootdir", str(tmp_path)]
    command = [sys.executable, "-m", "pytest", *options, "-n", "2", "--dist", "loadgroup", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    workers = (tmp_path / "workers").read_text().split()
    assert (len(workers), len(set(workers))) == (6, 1)
