"""Watches the memory of a running `autograder grade`: what each judge and each keeper has for itself."""

import contextlib
import threading
from pathlib import Path

from autograder.sandbox.procfs import descendants

EVERY_SECONDS = 0.25
MIB = 1 << 20


class Sampler:
    """Samples a process and all below it until it is left; keeps the largest private memory of each process."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.judges: dict[int, float] = {}
        self.keepers: dict[int, float] = {}
        self.boxes: dict[int, float] = {}

    def __enter__(self) -> "Sampler":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def workers_mib(self) -> list[float]:
        """Return what each worker has for itself: a judge and a keeper, the largest with the largest."""
        pairs = zip(sorted(self.judges.values()), sorted(self.keepers.values()), strict=False)
        return [judge + keeper for judge, keeper in pairs]

    def _watch(self) -> None:
        while not self._stop.wait(EVERY_SECONDS):
            for pid in descendants(self._pid):
                if "autograder.box.keeper" not in _command(pid) or "bwrap" in _command(pid).split("\0")[0]:
                    continue
                parent = _parent(pid)
                if "autograder.box.keeper" in _command(parent).split("\0--")[-1] and "bwrap" not in _name(parent):
                    _keep(self.boxes, pid)  # a fork of the keeper
                    continue
                _keep(self.keepers, pid)
                while "bwrap" in _name(parent):
                    parent = _parent(parent)
                _keep(self.judges, parent)


def private_mib(pid: int) -> float:
    """Return the memory that a process shares with no other, in MiB."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) * 1024 / MIB


def _keep(peaks: dict[int, float], pid: int) -> None:
    with contextlib.suppress(OSError):
        peaks[pid] = max(peaks.get(pid, 0.0), private_mib(pid))


def _command(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text()
    return ""


def _name(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text()
    return ""


def _parent(pid: int) -> int:
    with contextlib.suppress(OSError, IndexError, ValueError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return 0
