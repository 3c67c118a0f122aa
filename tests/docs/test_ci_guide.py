"""docs/ci.md: its commands are typed in a course folder, and do what the page says."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.documented_commands import Shell, blocks
from tests.notebooks import reference_notebook, write
from tests.sample_reports import graded

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "ci.md"
EXPORT = "Student,ID,SIS Login ID,Section,Consistency models (7)\nAda,1,ada,,\nBob,2,bob,,\n"


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """Return a course folder with a submission, results of a class, and Canvas's export."""
    folder = tmp_path / "course"
    for name in ("source", "release"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    notebook = folder / "submitted" / "ada" / "consistency-models"
    notebook.mkdir(parents=True)
    write(reference_notebook(), notebook)
    (folder / "results" / "consistency-models").mkdir(parents=True)
    for student in ("ada", "bob"):
        (folder / "results" / "consistency-models" / f"{student}.json").write_text(graded(student).to_json())
    (folder / "canvas.csv").write_text(EXPORT)
    return folder


@pytest.mark.full
@pytest.mark.slow
@pytest.mark.bubblewrap
def test_every_command_of_the_page_works(course: Path, tmp_path: Path) -> None:
    """Typed one after the other, none fails, and each file that the page promises is there."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    shell = Shell(course, {"PATH": path, "HOME": str(tmp_path), "TMPDIR": str(tmp_path)})
    typed = blocks(PAGE)
    assert len(typed) >= 5
    for block in typed:
        shell.run(block)
    assert (course / "course-repository" / ".github" / "workflows" / "grade.yml").is_file()
    assert (course / "student-repository" / ".ci" / "check").is_file()
    assert "| `bob` | 22 / 50 |" in (course / "summary.md").read_text()
    assert "Ada,1,ada,,22" in (course / "canvas-filled.csv").read_text()
    assert json.loads((course / "prairielearn.json").read_text())["score"] == 1.0
    assert (course / "classroom.txt").is_file()
    assert (course / "junit.xml").is_file()
    assert (course / "dist" / "gradescope.zip").is_file()
