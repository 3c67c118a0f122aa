"""nbgrader's own commands, unpatched, on a real class: exchange, autograde through the judge, feedback.

One course serves the whole file: a student goes through the exchange, the others' work is handed in beside it.
"""

from __future__ import annotations

import html
import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbgrader import api

from autograder.assignment import MARKERS, NAME
from tests.nbgrader_courses import BIN, course_folder, grade_of, nbgrader, submission_of
from tests.notebooks import cell, write
from tests.sample_class import HOSTILE, build_class, correct_notebook

CANARY = "canary-of-the-hidden-checks-31d7"
ADA = pwd.getpwuid(os.getuid()).pw_name  # hands in through the exchange, which names a student after the account
REFLECTION = "Because a target that moves at once is no label."

pytestmark = [
    pytest.mark.slow,
    pytest.mark.bubblewrap,
    pytest.mark.xdist_group("nbgrader"),  # one course for one worker
    pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed"),
]


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a course, autograded; one of its students handed in through the exchange."""
    root = tmp_path_factory.mktemp("nbgrader")
    exchange = f"c.Exchange.root = {str(root / 'exchange')!r}\n"
    course = course_folder(root / "course", exchange)
    build_class(course, course / "submitted")
    shutil.rmtree(course / "submitted" / "untouched")
    answers = correct_notebook(course)
    plant_canary(course)
    nbgrader(course, "generate_assignment", NAME, "--force")
    nbgrader(course, "release_assignment", NAME)
    student = root / ADA
    settings = student / "home" / ".jupyter" / "nbgrader_config.py"
    settings.parent.mkdir(parents=True)
    settings.write_text(f"c = get_config()\n{exchange}c.CourseDirectory.course_id = {NAME!r}\n")
    nbgrader(student, "fetch_assignment", NAME)
    fetched = student / NAME / f"{NAME}.ipynb"
    assert fetched.read_bytes() == (course / "release" / NAME / f"{NAME}.ipynb").read_bytes()
    cell(answers, "reflect_1").source = REFLECTION
    write(answers, fetched.parent)
    nbgrader(student, "submit", NAME)
    nbgrader(course, "collect", NAME)
    nbgrader(course, "autograde", NAME)
    return course


@pytest.fixture
def book(course: Path) -> Iterator[api.Gradebook]:
    """Return its gradebook."""
    with api.Gradebook(f"sqlite:///{course / 'gradebook.db'}") as opened:
        yield opened


def plant_canary(course: Path) -> None:
    """Put a word into every hidden test and every answer of the source notebook."""
    path = course / "source" / NAME / f"{NAME}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    for each in notebook.cells:
        if each.cell_type == "code":
            for begin, _ in MARKERS:
                each.source = re.sub(f"^( *){begin}$", rf"\1{begin}\n\1# {CANARY}", each.source, flags=re.MULTILINE)
    nbformat.write(notebook, path)
    assert path.read_text().count(CANARY) > 10


def grades(gradebook: Path) -> dict[str, dict[str, Any]]:
    """Return every student's automatic marks, cell by cell, with the bonus."""
    with api.Gradebook(f"sqlite:///{gradebook}") as book:
        return {
            submission.student_id: {
                grade.name: (grade.auto_score, grade.extra_credit)
                for notebook in submission.notebooks
                for grade in notebook.grades
            }
            for submission in book.assignment_submissions(NAME)
        }


def test_autograde_gives_the_marks_of_grade(course: Path, tmp_path: Path) -> None:
    """nbgrader's command and ours enter the same number in every cell; the hostile file forges none."""
    gradebook = tmp_path / "gradebook.db"
    command = [BIN / "autograder", "grade", "--out", tmp_path / "out", "--gradebook", f"sqlite:///{gradebook}"]
    run = subprocess.run([str(part) for part in command], cwd=course, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    theirs, ours = grades(course / "gradebook.db"), grades(gradebook)
    assert set(theirs) == {ADA, "broken", "correct", "hostile", "partly-wrong"}
    assert theirs == ours
    assert {score for score, _ in theirs["hostile"].values()} <= {0.0, None}


def test_bonus_and_totals(book: api.Gradebook) -> None:
    """Right answers have 100 and the bonus of a maximum of 120, which the bonus does not raise."""
    totals = {each.student_id: (each.score, each.max_score) for each in book.assignment_submissions(NAME)}
    assert totals == {
        ADA: (110.0, 120.0), "correct": (110.0, 120.0), "partly-wrong": (94.0, 120.0),
        "hostile": (0.0, 120.0), "broken": (0.0, 120.0),
    }  # fmt: skip
    assert submission_of(book, ADA).timestamp is not None
    assert grade_of(book, ADA, "reflect_1").needs_manual_grade


def test_mark_by_hand_survives_a_second_autograde(course: Path, book: api.Gradebook) -> None:
    """A person's mark, comment and override stay; another task's decision is entered by the same command."""
    grade = grade_of(book, ADA, "reflect_1")
    grade.manual_score, grade.needs_manual_grade = 8.0, False
    book.find_comment("reflect_1", NAME, NAME, ADA).manual_comment = "Well seen."
    book.db.commit()
    override = [str(BIN / "autograder"), "override", ADA, "ema_update", "9", "--reason", "Agreed in the office hour."]
    subprocess.run(override, cwd=course, check=True, capture_output=True)
    nbgrader(course, "autograde", NAME, "--student", ADA, "--force")
    book.db.expire_all()
    assert grade_of(book, ADA, "reflect_1").score == 8.0
    assert book.find_comment("reflect_1", NAME, NAME, ADA).comment == "Well seen."
    assert grade_of(book, ADA, "test_ema_update").score == 9.0


def test_feedback_gives_nothing_away(course: Path) -> None:
    """Every page has verdicts and no word of a hidden check or an answer of the source's."""
    nbgrader(course, "generate_feedback", NAME)
    pages = {path.parent.parent.name: path.read_text("utf-8") for path in (course / "feedback").rglob("*.html")}
    assert set(pages) == {ADA, "broken", "correct", "hostile", "partly-wrong"}
    hidden = [marker for pair in MARKERS for marker in pair] + [CANARY, "autograder.kernel", "hidden_checks"]
    for page in pages.values():
        text = html.unescape(re.sub("<[^>]*>", "", page))
        assert [word for word in hidden if word in text] == []
    text = html.unescape(re.sub("<[^>]*>", "", pages["partly-wrong"]))
    assert "seem to be exchanged" in text  # the hint of the wrong answer
    assert "data:image/png;base64," in pages["partly-wrong"]
    assert "points extra" in text


def test_marks_are_exported(course: Path) -> None:
    """nbgrader's own table has every student."""
    nbgrader(course, "export")
    rows = (course / "grades.csv").read_text("utf-8").splitlines()
    assert len(rows) == 6
    assert rows[0].startswith("assignment,duedate,timestamp,student_id")


def test_hostile_answers_are_shown_as_text(course: Path) -> None:
    """The marked notebook of the attack has its code as text and no output but our verdicts."""
    marked = nbformat.read(course / "autograded" / "hostile" / NAME / f"{NAME}.ipynb", as_version=4)
    assert cell(marked, "ema_update").source.strip() == HOSTILE["ema_update"].strip()
    code = [each for each in marked.cells if each.cell_type == "code"]
    assert [each.source for each in code if each.outputs and "autograder" not in each.metadata] == []
