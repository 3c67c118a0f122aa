"""Temporary folders: what a killed process leaves of them is removed by the next run.

Whoever makes a folder holds a lock on it, which goes with the process, however that ends. One without is abandoned.
"""

import contextlib
import fcntl
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

MARK = "autograder"  # a file in a folder to which another library gave its name, and which is ours


def make_held_folder(prefix: str) -> tuple[str, int]:
    """Make a temporary folder, held until the descriptor that comes with it is closed."""
    folder = tempfile.mkdtemp(prefix=f"new-{prefix}")  # a name that nobody clears up, for it is not held yet
    descriptor = _hold(folder)
    held = os.path.join(os.path.dirname(folder), os.path.basename(folder).removeprefix("new-"))
    os.rename(folder, held)
    return held, descriptor


def hold_marked(folder: str) -> None:
    """Hold a folder of another library's making for as long as this process lives."""
    mark = Path(folder, MARK)
    if not mark.exists():
        _hold(folder)  # its descriptor is never closed: that is the point
        mark.touch()


def remove_abandoned(prefix: str, *, marked: bool = False) -> None:
    """Remove the temporary folders with that prefix, or those of them with our mark, that nobody holds any more."""
    for folder in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        with contextlib.suppress(OSError):  # held by a process that lives, somebody else's, or gone by now
            if marked and not (folder / MARK).is_file():
                continue
            descriptor = _hold(folder)
            try:
                remove_tree(folder)
            finally:
                os.close(descriptor)


def remove_tree(folder: Path, *, ignore_errors: bool = False) -> None:
    """Remove a folder and all in it; a submission may have left a thousand folders in one another."""
    try:
        shutil.rmtree(folder, ignore_errors=ignore_errors)
    except RecursionError:
        subprocess.run(["rm", "-rf", "--", str(folder)], check=False, capture_output=True)  # knows no such limit


def _hold(folder: str | Path) -> int:
    """Lock a folder and return its descriptor; raises BlockingIOError where another process has it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
