"""Marks rows of the battery with the real judge and checks what must hold after every one (I1 to I9)."""

from __future__ import annotations

import contextlib
import difflib
import json
import math
import os
import re
import shutil
import socket
import time
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from autograder.assignment import load_assignment
from autograder.errors import Unreadable
from autograder.judge.judge import Judge
from autograder.render.gradescope import to_gradescope
from autograder.render.html import to_html
from autograder.render.junit import to_junit
from autograder.report import Report
from autograder.sandbox import procfs
from autograder.sandbox.bubblewrap import python_folders
from autograder.settings import Settings
from tests import notebooks
from tests.battery.others import LOCAL_PORT
from tests.battery.row import CANARY, Row
from tests.boxes import crowd

QUICK = Settings(call_seconds=3, cell_seconds=3, submission_seconds=60, memory_mib=1024, processes=16, output_kib=16)
PWNED = "BATTERY_PWNED"  # set by gadgets that get to run in the grader
OURS = re.compile(r"Traceback|site-packages|autograder/|/box/|\.py\b|tmp/pytest")
# Where this Python lies in /tmp itself, the box sees the folder above it there.
MOUNTED = {path.parts[2] for path in python_folders() if path.is_relative_to("/tmp")}
# Finds what an earlier submission left. A cell that fails would stand in the neighbour's report.
LOOKS_AROUND = f"""
import os
left = [name for folder in ("/tmp", "/dev/shm") for name in os.listdir(folder) if name not in {MOUNTED or "()"}]
others = [pid for pid in os.listdir("/proc") if pid.isdigit() and int(pid) not in (1, os.getpid())]
if left or others or os.environ.get("LEFT_BEHIND"):
    raise RuntimeError(f"left behind: {{left}} {{others}}")
"""


class Bench:
    """A course folder full of canaries, a warm judge, and an honest neighbour who is marked after every row."""

    def __init__(self, folder: Path, isolation: str = "namespaces") -> None:
        self.course = folder / "course"
        _plant(self.course)
        self._handed_in = folder / "submitted"
        self._isolation = isolation
        self._neighbour = Row("neighbour", cell=LOOKS_AROUND, answers={"ema_update": "pass"}, lost=("ema_update",))

    @contextlib.contextmanager
    def open(self) -> Iterator[Bench]:
        """Start the judge with a canary in its environment; mark the neighbour once."""
        os.environ["BATTERY_TOKEN"] = CANARY
        self._others = set(procfs.descendants(os.getpid()))  # of earlier tests in this process: a fork server stays
        try:
            with _listener(), Judge(load_assignment(self.course), QUICK, isolation=self._isolation) as judge:
                self.judge = judge
                self.first = self.mark_neighbour()
                before = self._mark(self._neighbour, "grace")
                assert isinstance(before, Report)
                check_report(self._neighbour, before)
                self.before = self._json(before)
                yield self
        finally:
            del os.environ["BATTERY_TOKEN"]

    def check(self, row: Row) -> Report | str:
        """Mark a row and check its outcome and every invariant; returns its report, or why it is unreadable."""
        files = _snapshot(self.course)
        self.judge.settings = replace(QUICK, call_seconds=row.seconds, cell_seconds=row.seconds)
        began = time.monotonic()
        found = self._mark(row, "ada")
        # A task is not charged for waiting on a shared processor, so it lasts longer by as much as that is shared.
        assert time.monotonic() - began <= crowd() * (QUICK.submission_seconds + 5 + 3 * QUICK.call_seconds), "I6"
        assert PWNED not in os.environ, "code of a submission ran in the judge"
        assert _snapshot(self.course) == files, "I5: a file of the course changed"
        assert self._left() == 0, "I5: a process is left"
        self._check_outcome(row, found)
        if zlib.crc32(row.id.encode()) % 5 == 0:  # a fifth of the rows, always the same
            _same(self._json(self._mark(row, "ada")), self._json(found), "I9: another report the second time")
        self.judge.settings = QUICK
        _same(self.mark_neighbour(), self.before, "I4: the neighbour's report changed")
        return found

    def mark_neighbour(self) -> str:
        """Mark the honest neighbour once more and return the report without its time."""
        return self._json(self._mark(self._neighbour, "grace"))

    def _check_outcome(self, row: Row, found: Report | str) -> None:
        if isinstance(found, str):
            assert row.unreadable, found
            assert row.unreadable in found
            _check_text(found)
            return
        assert not row.unreadable
        assert found.status == "graded", found.staff
        check_report(row, found)

    def _mark(self, row: Row, student: str) -> Report | str:
        folder = self._handed_in / student
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / row.name).write_bytes(row.build())
        for name, content in row.files.items():
            (folder / name).write_text(content)
        try:
            return self.judge.mark(folder / row.name, student=student)
        except Unreadable as error:
            return str(error)

    def _left(self) -> int:
        """Return how many processes the judge has below its keeper; zombies count."""
        below = [pid for pid in procfs.descendants(os.getpid()) if pid not in self._others]
        return max(0, sum(os.path.exists(f"/proc/{pid}") for pid in below) - 2)  # bwrap and the keeper itself

    def _json(self, found: Report | str) -> str:
        return found if isinstance(found, str) else replace(found, seconds=0.0).to_json()


@contextlib.contextmanager
def _listener() -> Iterator[None]:
    """Listen on the loopback; where the port is taken somebody else listens, which is as good."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            stack.enter_context(socket.create_server(("127.0.0.1", LOCAL_PORT)))
        yield


def check_report(row: Row, report: Report) -> None:
    """Check points, statuses, warnings and texts of a graded row."""
    got = report.to_dict()
    assert got["score"] is not None
    assert math.isfinite(got["score"])
    assert 0 <= got["score"] <= got["max_score"], "I2"
    assert sum(t["score"] for t in got["tasks"] if not t["bonus"]) == got["score"]
    tasks = {task["id"]: task for task in got["tasks"]}
    messages = [w["message"] for w in got["warnings"]]
    for task_id, task in tasks.items():
        _check_task(row, task_id, task)
        if task_id in (*row.lost, *row.partly):
            lost = [c for c in task["checks"] if c["status"] != "passed"]
            texts = [c["message"] for c in lost]
            assert all(texts), "a lost point without a sentence"
            messages += texts
            if row.statuses:
                assert {c["status"] for c in lost} <= row.statuses, lost
    assert tuple(sorted({w["code"] for w in got["warnings"]})) == row.warnings, got["warnings"]
    assert re.search(row.says, "\n".join(messages), re.DOTALL), messages
    for text in messages:
        _check_text(text)
    forms = (report.to_json(), to_html(report), to_junit(report).decode(), json.dumps(to_gradescope(report)))
    for form in forms:
        assert CANARY not in form, "I3"


def _same(got: str, expected: str, what: str) -> None:
    lines = difflib.unified_diff(expected.splitlines(), got.splitlines(), "expected", "got", lineterm="")
    assert got == expected, "\n".join((what, *lines))


def _check_task(row: Row, task_id: str, task: dict[str, Any]) -> None:
    shown = [(c["id"], c["status"], c["message"]) for c in task["checks"]]
    if task_id in row.partly:
        assert 0 < task["score"] < task["max_score"], shown
    elif task_id in row.full():
        assert task["score"] == task["max_score"], ("I7", task_id, shown)
    else:
        assert task["score"] == 0, (task_id, shown)
        # Its answer cell is as it was released; code that rewrites the box's own may say anything of it but points.
        if task_id not in row.lost and "autograder.box" not in row.cell:
            assert {c["status"] for c in task["checks"]} == {"not_attempted"}, (task_id, shown)


def _check_text(text: str) -> None:
    """I8: a message is one line for the student and holds nothing of the grader's."""
    assert not OURS.search(text), text
    assert text.isprintable(), repr(text)
    assert len(text) < 700


def _plant(course: Path) -> None:
    """Make a course folder whose every secret place holds the canary."""
    shutil.copytree(notebooks.COURSE / "source", course / "source")
    shutil.copy(notebooks.COURSE / "nbgrader_config.py", course)
    for name in (
        "gradebook.db",
        "source/consistency-models/solutions.py",
        "submitted/linus/consistency-models/consistency-models.ipynb",
        "results/linus.json",
        "results/staff/linus.json",
        ".git/config",
        ".netrc",
    ):
        path = course / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{CANARY}\n")


def _snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path): (path.stat().st_mtime_ns, path.read_bytes()) for path in sorted(folder.rglob("*")) if path.is_file()
    }
