"""Accounts of this machine for one test: real user ids, names and homes, without changing the machine.

A command of theirs sees the machine's own files, with an /etc/passwd that knows them, and of folders that are closed to
others (a checkout in somebody's home, pytest's own) only what they need.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from autograder.sandbox.bubblewrap import python_folders
from tests.notebooks import COURSE

BECOME = ("--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID")  # and nothing else that root may
PASSABLE = 0o1  # what a folder's mode has where others may go through


@functools.cache
def as_root() -> list[str] | None:
    """Return what runs a command as root: nothing for root, sudo where it asks for no password, None for nobody."""
    if os.geteuid() == 0:
        return []
    sudo = ["sudo", "-n"]
    allowed = shutil.which("sudo") and subprocess.run([*sudo, "true"], capture_output=True, check=False).returncode == 0
    return sudo if allowed else None


needs_accounts = [
    pytest.mark.skipif(as_root() is None, reason="only root can act as two accounts"),
    pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv is not installed"),
]


@dataclass(frozen=True)
class Account:
    """Somebody with a user id, a name, and a home."""

    number: int
    name: str
    home: Path

    @property
    def line(self) -> str:
        """Their line in /etc/passwd."""
        return f"{self.name}:x:{self.number}:{self.number}::{self.home}:/bin/sh\n"

    def run(self, folder: Path, *command: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command as them, in a folder."""
        root = self.home.parent
        run = subprocess.run(
            [
                *(as_root() or ()), "bwrap", "--die-with-parent", *BECOME, "--dev-bind", "/", "/",
                *_opened([*python_folders(), COURSE], root), "--ro-bind", str(root / "passwd"), "/etc/passwd",
                "--chdir", str(folder), "setpriv", f"--reuid={self.number}", f"--regid={self.number}", "--clear-groups",
                "env", "-i", f"HOME={self.home}", f"PATH={os.defpath}", "LANG=C.UTF-8", *map(str, command),
            ],
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert not check or run.returncode == 0, run.stdout + run.stderr
        return run


@contextmanager
def reachable_folder() -> Iterator[Path]:
    """Make a folder that every account of this machine can reach, and remove it in the end.

    pytest's own are closed to others. To open these, or what is above them, would be undone by the next pytest that
    starts, at whatever moment that is.
    """
    folder = Path(tempfile.mkdtemp(prefix="autograder-tests-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def accounts(root: Path, *names: str) -> Iterator[list[Account]]:
    """Make accounts in a folder that they can reach, with homes that are theirs once `give` gives them what is in it.

    In the end all in the folder is removed, whoever owns it.
    """
    root.chmod(0o755)
    people = [Account(52_001 + number, name, root / name) for number, name in enumerate(names)]
    (root / "passwd").write_text("root:x:0:0::/root:/bin/sh\n" + "".join(person.line for person in people))
    try:
        for person in people:
            person.home.mkdir()
        yield people
    finally:
        _root("rm", "-rf", *(str(path) for path in root.iterdir()))


def give(folder: Path, person: Account) -> None:
    """Make a folder and all in it somebody's, and close it to others."""
    _root("chown", "-R", f"{person.number}:{person.number}", str(folder))
    _root("chmod", "700", str(folder))


def _root(*command: str) -> None:
    subprocess.run([*(as_root() or ()), *command], check=True)


def _opened(readable: list[Path], writable: Path) -> list[str]:
    """Return the options that lay these folders open where somebody's closed folder is in the way."""
    options: dict[tuple[str, ...], None] = {}  # in order, each once
    for path in [*readable, writable]:
        closed = [each for each in reversed(path.parents) if not each.stat().st_mode & PASSABLE]
        if closed:
            options["--tmpfs", str(closed[0])] = None
            between = [each for each in reversed(path.parents) if closed[0] in each.parents]
            options |= dict.fromkeys(("--dir", str(each)) for each in between)
    options |= dict.fromkeys(("--ro-bind", str(path), str(path)) for path in readable)
    options["--bind", str(writable), str(writable)] = None
    return [word for option in options for word in option]
