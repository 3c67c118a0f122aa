"""Worker processes of our own: what lies in the folder where the command is given is not theirs."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from autograder.crew import Embedded

ROOT = Path(__file__).parents[1]
STARTS = """
import sys
sys.path.insert(0, sys.argv[1])  # where the package is; what the folder holds must not be found
from autograder.crew import Embedded, load_ahead
if __name__ == "__main__":
    load_ahead()
    with Embedded(1).open() as pool:
        assert pool.submit(len, "abc").result() == 3
"""


@pytest.mark.parametrize("module", ["socket.py", "torch.py", "sitecustomize.py", "autograder/__init__.py"])
def test_workers_import_nothing_from_the_folder_of_submissions(tmp_path: Path, module: str) -> None:
    """A student's file beside a notebook, called as a module that a worker imports, is never run by the grader."""
    folder, trace = tmp_path / "submitted", tmp_path / "trace"
    (folder / module).parent.mkdir(parents=True)
    (folder / module).write_text(f"open({str(trace)!r}, 'w').close()\n")
    (tmp_path / "starts.py").write_text(STARTS)
    run = subprocess.run(
        [sys.executable, str(tmp_path / "starts.py"), str(ROOT)],
        cwd=folder,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert not trace.exists()
    assert run.returncode == 0, run.stderr


def test_a_pool_left_by_an_exception_leaves_no_thread() -> None:
    """A thread that still ends while the interpreter does would print a trace-back after Ctrl-C."""
    before = set(threading.enumerate())

    def interrupted() -> None:
        with Embedded(1).open() as pool:
            pool.submit(time.sleep, 60)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert set(threading.enumerate()) == before
