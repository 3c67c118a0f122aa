"""A disk that is really full while a class is marked: one sentence, nothing half written, and then it goes on."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from autograder import cli
from autograder.assignment import load_assignment
from autograder.errors import DiskFull
from autograder.grading.executors import Lent
from autograder.nbgrader_host.course import load_course
from autograder.nbgrader_host.gradebook import Gradebook
from tests.boxes import needs_bubblewrap
from tests.fake_class import grade, results_of
from tests.fake_judge import hand_in, small_course
from tests.nbgrader_courses import course_folder

ROOT = Path(__file__).parents[2]
SIZE_KIB, BALLAST_KIB = 400, 300  # of a disk in memory; a report and its page take some 20
# What is on the disk goes with its mount, so all of it happens in one shell.
SCRIPT = """
results=$1; kept=$2; shift 2
mkdir "$kept"
dd if=/dev/zero of="$results/ballast" bs=1024 count={ballast} status=none
"$@" 2> "$kept/said"
echo $? > "$kept/code"
cp -a "$results" "$kept/full"
rm "$results/ballast"
"$@" || exit 1
cp -a "$results" "$kept/whole"
"""


@pytest.mark.bubblewrap
class TestTinyDisk:
    pytestmark = needs_bubblewrap

    def test_a_full_disk_ends_the_run_and_room_lets_it_go_on(self, tmp_path: Path) -> None:
        """The first run stops in one sentence with code 4 and whole reports; the next one does the rest."""
        course, kept = small_course(tmp_path / "course"), tmp_path / "kept"
        for number in range(12):
            hand_in(course, f"s{number}", "fine")
        with ThreadPoolExecutor(1) as executor:
            assert grade(course, crew=Lent(executor, 1)) == 0
        results = results_of(course)
        expected = contents(results)
        disk = ["bwrap", "--dev-bind", "/", "/", "--size", str(SIZE_KIB * 1024), "--tmpfs", str(results)]
        script = ["sh", "-c", SCRIPT.format(ballast=BALLAST_KIB), "sh", str(results), str(kept)]
        command = [sys.executable, "-m", "tests.fake_command", "grade", "--course", str(course), "--gradebook", "none"]
        subprocess.run([*disk, *script, *command], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        said = (kept / "said").read_text().splitlines()
        assert (kept / "code").read_text() == "4\n"
        assert len(said) == 1
        assert said[0].endswith("was not written: the disk is full; make room and run the same command again")
        full = contents(kept / "full")
        assert 2 <= len(full) - 1 < len(expected)  # the ballast, and the reports that still had room
        assert {name: text for name, text in full.items() if name != "ballast"}.items() <= expected.items()
        assert contents(kept / "whole") == expected


def contents(folder: Path) -> dict[str, bytes]:
    """Return all that is in a folder of results, by name; what is half written too."""
    files = {path for path in folder.rglob("*") if path.is_file() and path.name != ".lock"}
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@contextmanager
def database_of(pages: int) -> Iterator[None]:
    """Give SQLite no more room than so many pages: then it says that its disk is full."""

    def limit(connection: sqlite3.Connection, _: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")

    event.listen(Engine, "connect", limit)
    try:
        yield
    finally:
        event.remove(Engine, "connect", limit)


def test_a_full_disk_under_the_gradebook_is_said(tmp_path: Path) -> None:
    """Nothing of the student's is entered, and with room it goes on."""
    folder = course_folder(tmp_path / "course")
    course, assignment = load_course(folder), load_assignment(folder)
    with database_of(pages=10), pytest.raises(DiskFull, match=r"the gradebook .* was not written: the disk is full"):
        Gradebook(course, assignment)
    with Gradebook(course, assignment):
        pass


def test_a_full_disk_wherever_it_shows_is_said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Temporary folders lie on a disk too: no trace-back is for a person, and none could be kept."""

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("autograder.grading.grade_class.grade_class", full)
    small_course(tmp_path)
    assert cli.main(["grade", "--course", str(tmp_path)]) == 4
    assert capsys.readouterr().err == "autograder: the disk is full; make room and run the same command again\n"
