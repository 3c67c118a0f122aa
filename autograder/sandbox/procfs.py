"""What /proc tells about the processes of a box, seen from outside it."""

import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CHILDREN_TOLD = os.path.exists(f"/proc/self/task/{os.getpid()}/children")
COUNTED = ("VmRSS:", "VmSwap:", "VmPTE:")  # pages in memory, pages pushed out of it, and the tables of pages


@dataclass(frozen=True)
class ScratchUse:
    """What lies in the scratch folders: bytes in memory, bytes on disk, files and folders."""

    memory_bytes: int = 0
    disk_bytes: int = 0
    files: int = 0


def children(pid: int) -> list[int]:
    """Return the children of a process, whichever of its threads made them; empty where /proc does not tell."""
    found: list[int] = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children", encoding="ascii") as names:
                found += map(int, names.read().split())
    except FileNotFoundError:  # the process is gone, or the kernel was built without these files
        return [] if CHILDREN_TOLD else [child for child, parent in parents().items() if parent == pid]
    except OSError:
        return []
    return found


def parents() -> dict[int, int]:
    """Return the parent of every process that can be seen; slow."""
    found: dict[int, int] = {}
    with contextlib.suppress(OSError):
        for name in os.listdir("/proc"):
            if name.isdigit():
                with contextlib.suppress(OSError, IndexError, ValueError):
                    found[int(name)] = int(Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()[1])
    return found


def descendants(pid: int) -> Iterator[int]:
    """Walk the tree of processes below one."""
    waiting = children(pid)
    while waiting:
        child = waiting.pop()
        yield child
        waiting += children(child)


def runs(pid: int) -> bool:
    """Say whether a process is there, and has not ended."""
    with contextlib.suppress(OSError, IndexError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def seen_from_inside(pid: int) -> int:
    """Return the id of a process in its own namespace; 0 where /proc does not tell."""
    with contextlib.suppress(OSError, StopIteration, IndexError, ValueError):
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        return int(next(line.split()[-1] for line in lines if line.startswith("NSpid:")))
    return 0


def seen_from_outside(keeper: int, inside: int) -> int:
    """Return the id here of a keeper's child, which knows it by another one; 0 where /proc does not tell."""
    return next((child for child in children(keeper) if seen_from_inside(child) == inside), 0)


def thread_count(pids: list[int]) -> int:
    """Return how many threads the processes have together."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            total += len(os.listdir(f"/proc/{pid}/task"))
    return total


def resident_bytes(pids: list[int]) -> int:
    """Return the memory of the processes; a page that two of them share counts twice."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError, IndexError, ValueError):
            total += _sum_of(Path(f"/proc/{pid}/status").read_text(), COUNTED)
    return total


def proportional_bytes(pids: list[int]) -> int:
    """Return the proportional set size of the processes, or their resident memory where that may not be read."""
    total = 0
    for pid in pids:
        try:
            total += _sum_of(Path(f"/proc/{pid}/smaps_rollup").read_text(), ("Pss:", "SwapPss:"))
        except OSError:
            total += resident_bytes([pid])
    return total


def _sum_of(text: str, names: tuple[str, ...]) -> int:
    lines = (line.split() for line in text.splitlines())
    return sum(int(words[1]) * 1024 for words in lines if words and words[0] in names)


def mounted_use(pid: int, folders: tuple[str, ...]) -> ScratchUse:
    """Return what lies in the sized memory folders that a process has mounted; nothing where that cannot be seen."""
    used_bytes = files = 0
    for folder in folders:
        with contextlib.suppress(OSError):
            state = os.statvfs(f"/proc/{pid}/root{folder}")
            used_bytes += (state.f_blocks - state.f_bfree) * state.f_frsize
            files += state.f_files - state.f_ffree
    return ScratchUse(memory_bytes=used_bytes, files=files)


def folder_use(folder: str, most_files: int) -> ScratchUse:
    """Return what lies in a folder on disk, counted up to a number of files."""
    used_bytes = files = 0
    waiting = [folder]
    while waiting and files <= most_files:
        with contextlib.suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                files += 1
                with contextlib.suppress(OSError):
                    used_bytes += entry.stat(follow_symlinks=False).st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                if files > most_files:
                    break
    return ScratchUse(disk_bytes=used_bytes, files=files)


class Waiting:
    """How long a process has been ready to run while the machine ran others: the run delay of its schedstat.

    Of "thread-self", how long the thread that asks.

    The file stays open, for it is asked about several times a call.
    """

    def __init__(self, pid: int | str) -> None:
        self._file = -1
        with contextlib.suppress(OSError):
            self._file = os.open(f"/proc/{pid}/schedstat", os.O_RDONLY | os.O_CLOEXEC)

    def seconds(self) -> float:
        """Return the time so far; 0 of a process that is gone, and where /proc does not tell."""
        try:
            return int(os.pread(self._file, 100, 0).split()[1]) / 1e9
        except (OSError, IndexError, ValueError):
            return 0.0

    def close(self) -> None:
        """Let the file go."""
        if self._file >= 0:
            os.close(self._file)
        self._file = -1


def tasks_of_user(user: int) -> int:
    """Return how many threads a user has on the machine: RLIMIT_NPROC counts all of them."""
    own: list[int] = []
    for entry in os.scandir("/proc"):
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and entry.stat().st_uid == user:
                own.append(int(entry.name))
    return thread_count(own)


def counted_by_namespace() -> bool:
    """Say whether the kernel counts a user's processes in each user namespace apart (Linux 5.14 and later)."""
    found = re.match(r"(\d+)\.(\d+)", os.uname().release)
    return found is not None and (int(found[1]), int(found[2])) >= (5, 14)
