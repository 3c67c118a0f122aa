"""A file is written whole or not at all."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from autograder.errors import GraderFault, UsageError
from autograder.system.files import remove_leftovers, write_atomically

ROOT = Path(__file__).parents[2]


def test_write_atomically_replaces_a_file_and_leaves_nothing_else(tmp_path: Path) -> None:
    """Old content is replaced by new, text is UTF-8, and no temporary file stays."""
    path = tmp_path / "report.json"
    path.write_text("old")
    write_atomically(path, "nëw")
    assert path.read_bytes() == "nëw".encode()
    assert list(tmp_path.iterdir()) == [path]


def test_write_atomically_gives_the_mode_of_an_ordinary_file(tmp_path: Path) -> None:
    """The umask decides who may read, as for any file that a person makes."""
    old = os.umask(0o027)
    try:
        write_atomically(tmp_path / "report.json", b"")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "report.json").stat().st_mode) == 0o640


@pytest.mark.parametrize("name", ["missing/report.json", "", "x" * 300])
def test_write_atomically_refuses_a_bad_place_in_one_sentence(tmp_path: Path, name: str) -> None:
    """A missing folder, a folder's own name and a name that is too long are the caller's mistake."""
    with pytest.raises(UsageError, match="cannot be written: ") as caught:
        write_atomically(tmp_path / name, "x")
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_write_atomically_follows_a_link(tmp_path: Path) -> None:
    """A link stays a link, and its target has the content."""
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "target")
    (tmp_path / "target").touch()
    write_atomically(link, "x")
    assert link.is_symlink()
    assert (tmp_path / "target").read_text() == "x"


def test_write_atomically_writes_into_a_device_and_a_pipe(tmp_path: Path) -> None:
    """`--json /dev/null` never replaces the device, and a pipe's reader gets the content."""
    write_atomically(Path(os.devnull), "x")
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    write_atomically(pipe, "x")
    reader.join(10)
    assert read == [b"x"]


def test_write_atomically_on_a_full_disk_keeps_the_old_file(tmp_path: Path) -> None:
    """Where the content does not fit the old file stays, nothing half-written does, and one sentence says so."""
    path = tmp_path / "report.json"
    path.write_text("old")
    # A limit on file size is a full disk for one process: the kernel refuses in the middle of the write.
    program = (
        "import resource, signal, sys; from pathlib import Path; from autograder.system.files import write_atomically\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "write_atomically(Path(sys.argv[1]), b'x' * 100_000)"
    )
    run = subprocess.run(
        [sys.executable, "-c", program, str(path)], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert "GraderFault" in run.stderr
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_write_atomically_has_the_content_on_the_disk_before_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut never leaves an empty file under the new name: the file is synced, renamed, the folder synced."""
    done = []
    fsync, replace = os.fsync, os.replace

    def synced(descriptor: int) -> None:
        mode, size = os.fstat(descriptor).st_mode, os.fstat(descriptor).st_size
        done.append("folder" if stat.S_ISDIR(mode) else f"{size} bytes")
        fsync(descriptor)

    def renamed(old: Path, new: Path) -> None:
        done.append("name")
        replace(old, new)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", renamed)
    write_atomically(tmp_path / "report.json", "seven b")
    assert done == ["7 bytes", "name", "folder"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_write_atomically_says_that_the_disk_is_full() -> None:
    """ENOSPC becomes a sentence with a next step, and is the grader's side's fault."""
    with pytest.raises(GraderFault, match=r"the disk is full; make room"):
        write_atomically(Path("/dev/full"), "x")


def test_remove_leftovers_removes_temporary_files_alone(tmp_path: Path) -> None:
    """What a killed run left half-written goes; reports and other files stay."""
    (tmp_path / ".0011223344556677.tmp").touch()
    (tmp_path / "ada.json").touch()
    (tmp_path / "notes.tmp").touch()
    remove_leftovers(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ada.json", "notes.tmp"]
