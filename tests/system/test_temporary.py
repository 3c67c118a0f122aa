"""Temporary folders: those in use are left alone, those of killed processes go."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.system.temporary import MARK, make_held_folder, remove_abandoned, remove_tree


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder in which temporary ones are made."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def test_a_held_folder_goes_when_it_is_let_go(temporary: Path) -> None:
    """Others clear it up once nobody holds it, whatever lies in it."""
    folder, descriptor = make_held_folder("ours-")
    Path(folder, "deep").mkdir()
    remove_abandoned("ours-")
    assert Path(folder, "deep").is_dir()
    os.close(descriptor)
    remove_abandoned("ours-")
    assert list(temporary.iterdir()) == []


def test_a_marked_folder_is_held_as_long_as_its_process_lives(temporary: Path) -> None:
    """A killed process can no longer remove its folder; what other programs made is not touched."""
    ours, others = temporary / "pymp-a", temporary / "pymp-b"
    ours.mkdir()
    others.mkdir()
    code = "import sys; from autograder.system.temporary import hold_marked; hold_marked(sys.argv[1]); print(); input()"
    command = [sys.executable, "-c", code, str(ours)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        remove_abandoned("pymp-", marked=True)
        assert (ours / MARK).is_file()
        process.kill()
    remove_abandoned("pymp-", marked=True)
    assert list(temporary.iterdir()) == [others]


def test_folders_a_thousand_deep_are_removed(tmp_path: Path) -> None:
    """What a submission has left in the scratch folder of a grader that was killed stops nobody after it."""
    top = tmp_path / "top"
    top.mkdir()
    here = os.open(top, os.O_RDONLY)
    for _ in range(3000):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    try:
        remove_tree(top)
        assert not top.exists()
    finally:
        subprocess.run(["rm", "-rf", str(top)], check=True)  # pytest's own removal would fail on it, in a later run
