"""docs/instructor.md, then docs/privacy.md: every command, typed in its order by an instructor and a student."""

from __future__ import annotations

import os
import pwd
import re
import shutil
from pathlib import Path

import pytest

from tests.documented_commands import Shell, blocks
from tests.fake_class import results_of
from tests.nbgrader_courses import BIN, course_folder
from tests.notebooks import COURSE, NAME, blank_notebook, reference_notebook, write

DOCS = COURSE / "docs"
ACCOUNT = pwd.getpwuid(os.getuid()).pw_name  # nbgrader names a student after the account

pytestmark = [
    pytest.mark.full,
    pytest.mark.slow,
    pytest.mark.bubblewrap,
    pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed"),
]


def person(folder: Path, settings: str) -> Shell:
    """Return somebody's shell, with a home and nbgrader settings of their own."""
    home = folder / "home"
    (home / ".jupyter").mkdir(parents=True)
    (home / ".jupyter" / "nbgrader_config.py").write_text(f"c = get_config()\n{settings}\n", encoding="utf-8")
    path = f"{BIN}{os.pathsep}{os.defpath}"
    return Shell(folder, {"PATH": path, "HOME": str(home), "LANG": "C.UTF-8", "STUDENT": ACCOUNT})


def test_pages_lead_from_a_folder_to_returned_feedback_and_to_nothing_left(tmp_path: Path) -> None:
    """No command fails; in the end the student has the feedback, and after the removal the course nothing of them."""
    settings = f"c.Exchange.root = {str(tmp_path / 'exchange')!r}"
    course = course_folder(tmp_path / "course")
    (tmp_path / "student").mkdir()
    instructor, student = person(course, settings), person(tmp_path / "student", settings)
    for block in [*blocks(DOCS / "instructor.md"), *blocks(DOCS / "privacy.md")]:
        if "db student remove" in block.text:
            assert any((course / "solution").rglob("*.ipynb"))
            assert (course / "grades.csv").is_file()
            assert list((tmp_path / "student" / NAME / "feedback").rglob("*.html"))
            write(blank_notebook(), course / "submitted" / "hopper" / NAME)  # not all of a class leaves
        if block.words != ("student",):
            instructor.run(block)
        else:
            for number, line in enumerate(block.text.splitlines(), 1):
                student.run(type(block)(f"{block.where}+{number}", block.words, line))
                if "fetch_assignment" in line:
                    write(reference_notebook(), student.folder / NAME)
    copies = course / "results-before"  # made by hand, in the answer to an appeal
    files = [path for path in course.rglob("*") if not path.is_relative_to(copies)]
    assert [path for path in files if ACCOUNT in path.name.split(".")] == []
    assert re.findall(r"^\w+", (results_of(course) / "grades.csv").read_text(), re.MULTILINE) == ["student", "hopper"]
    assert set(re.findall(r'href="(\w+)\.html"', (results_of(course) / "index.html").read_text())) == {"hopper"}
