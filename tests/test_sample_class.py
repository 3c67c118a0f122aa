"""The class that `make grade` shows: each of the five gets what it must get, marked for real."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.assignment import MARKERS
from tests.sample_class import build_class

COURSE = Path(__file__).parent.parent
AUTOGRADER = str(Path(sys.executable).parent / "autograder")


def test_class_is_written_the_same_twice(tmp_path):
    """Written again, the class has the same bytes, so that grading it again finds everything done."""
    first = {path: path.read_bytes() for path in build_class(COURSE, tmp_path)}
    assert {path: path.read_bytes() for path in build_class(COURSE, tmp_path)} == first
    assert len(first) == 5


def test_class_writes_as_students_do(tmp_path):
    """No submission holds a marker of the source notebook, from which the right answers come."""
    for path in build_class(COURSE, tmp_path):
        text = path.read_text(encoding="utf-8")
        assert not any(marker in text for pair in MARKERS for marker in pair)


@pytest.mark.slow
@pytest.mark.bubblewrap
@pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed")
def test_class_gets_the_marks_that_it_earned(tmp_path):
    """Full marks for the right answers, one task lost for one wrong answer, nothing for the rest; all are reported."""
    build_class(COURSE, tmp_path / "class")
    where = ["--out", str(tmp_path / "out"), "--course", str(COURSE), "--gradebook", "none"]
    command = [AUTOGRADER, "grade", str(tmp_path / "class"), *where]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    reports = {path.stem: json.loads(path.read_text()) for path in (tmp_path / "out").glob("*.json")}
    marks = {name: (report["status"], report["score"], report["bonus"]) for name, report in reports.items()}
    assert marks == {
        "broken": ("unreadable", 0.0, 0.0),
        "correct": ("graded", 100.0, 10.0),
        "hostile": ("graded", 0.0, 0.0),
        "partly-wrong": ("graded", 84.0, 10.0),
        "untouched": ("graded", 0.0, 0.0),
    }
    lost = [task["id"] for task in reports["partly-wrong"]["tasks"] if task["score"] < task["max_score"]]
    assert lost == ["ema_update"]
    shown = run.stdout + run.stderr
    assert "::notice" not in shown
    assert "::stop-commands" not in shown
    assert (tmp_path / "out" / "index.html").is_file()
