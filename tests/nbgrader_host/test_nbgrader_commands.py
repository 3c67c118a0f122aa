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

from autograder.assignment import MARKERS
from tests.browser import needs_chromium, open_browser
from tests.formgrader import LOADED, enter, manual_grading, open_submission
from tests.nbgrader_courses import BIN, course_folder, grade_of, nbgrader, submission_of
from tests.notebooks import NAME, cell, write
from tests.sample_class import HOSTILE, build_class, correct_notebook

CANARY = "canary-of-the-hidden-checks-31d7"
ADA = pwd.getpwuid(os.getuid()).pw_name  # hands in through the exchange, which names a student after the account
REFLECTION = "Because a target that moves at once is no label."
DUE, LATE = "2030-12-01 18:00:00 UTC", "2030-12-01 20:00:00 UTC"

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
    course = course_folder(root / "course", f"{exchange}c.LatePolicy.table = [(1, 0), (24, 10)]")
    build_class(course, course / "submitted")
    shutil.rmtree(course / "submitted" / "untouched")
    answers = correct_notebook(course)
    plant_canary(course)
    nbgrader(course, "generate_assignment", NAME, "--force")
    nbgrader(course, "db", "assignment", "add", NAME, "--duedate", DUE)
    for student in ("correct", "partly-wrong"):
        (course / "submitted" / student / NAME / "timestamp.txt").write_text(LATE)
    autograder(course, "extend", "partly-wrong", "3h")
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


@pytest.fixture(scope="module")
def feedback(course: Path) -> dict[str, str]:
    """Return the feedback of each student."""
    nbgrader(course, "generate_feedback", NAME)
    return {path.parent.parent.name: path.read_text("utf-8") for path in (course / "feedback").rglob("*.html")}


@pytest.fixture
def book(course: Path) -> Iterator[api.Gradebook]:
    """Return its gradebook."""
    with api.Gradebook(f"sqlite:///{course / 'gradebook.db'}") as opened:
        yield opened


def autograder(course: Path, *arguments: str | Path) -> None:
    """Run a command of ours in a course folder."""
    run = subprocess.run(
        [str(BIN / "autograder"), *map(str, arguments)], cwd=course, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr


def plain(page: str) -> str:
    """Return the text of a page."""
    return html.unescape(re.sub("<[^>]*>", "", page))


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
    autograder(course, "grade", "--out", tmp_path / "out", "--gradebook", f"sqlite:///{gradebook}")
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


@pytest.mark.full
def test_mark_by_hand_survives_a_second_autograde(course: Path, book: api.Gradebook) -> None:
    """A person's mark, comment and override stay; another task's decision is entered by the same command."""
    grade = grade_of(book, ADA, "reflect_1")
    grade.manual_score, grade.needs_manual_grade = 8.0, False
    book.find_comment("reflect_1", NAME, NAME, ADA).manual_comment = "Well seen."
    book.db.commit()
    autograder(course, "override", ADA, "ema_update", "9", "--reason", "Agreed in the office hour.")
    nbgrader(course, "autograde", NAME, "--student", ADA, "--force")
    book.db.expire_all()
    assert grade_of(book, ADA, "reflect_1").score == 8.0
    assert book.find_comment("reflect_1", NAME, NAME, ADA).comment == "Well seen."
    assert grade_of(book, ADA, "test_ema_update").score == 9.0


@pytest.mark.full
@needs_chromium
def test_formgrader_marks_a_written_answer(course: Path, book: api.Gradebook) -> None:
    """Verdict, hint and figure are in its page; points and comment typed there are kept, also when marked again."""
    student = "partly-wrong"
    with open_browser() as browser, manual_grading(course, browser) as page:
        open_submission(page, student)
        assert "seem to be exchanged" in page.inner_text("#notebook")
        assert page.locator("img.figure").first.evaluate("image => image.naturalWidth > 100")
        enter(page, "reflect_1", "7.5")
        enter(page, "reflect_1-comment", "Say what the loss compares.")
        assert not grade_of(book, student, "reflect_1").needs_manual_grade
        book.db.rollback()  # what is read from here on is as it will be then
        nbgrader(course, "autograde", NAME, "--student", student, "--force")
        page.reload()
        page.wait_for_function(LOADED)
        assert page.input_value("#reflect_1") == "7.5"
    grade = grade_of(book, student, "reflect_1")
    assert (grade.manual_score, grade.score) == (7.5, 7.5)
    assert book.find_comment("reflect_1", NAME, NAME, student).comment == "Say what the loss compares."
    assert submission_of(book, student).score == 101.5


def test_late_hand_in_loses_what_the_table_says(course: Path, book: api.Gradebook, feedback: dict[str, str]) -> None:
    """Two hours late costs a tenth of the points; who was given three hours more loses nothing."""
    penalties = {each.student_id: each.late_submission_penalty for each in book.assignment_submissions(NAME)}
    assert penalties == {ADA: 0.0, "broken": 0.0, "correct": 11.0, "hostile": 0.0, "partly-wrong": 0.0}
    assert "Handed in late: 11 points less" in plain(feedback["correct"])
    assert "Handed in late" not in plain(feedback["partly-wrong"])


def test_feedback_gives_nothing_away(feedback: dict[str, str]) -> None:
    """Every page has verdicts and no word of a hidden check or an answer of the source's."""
    assert set(feedback) == {ADA, "broken", "correct", "hostile", "partly-wrong"}
    hidden = [marker for pair in MARKERS for marker in pair] + [CANARY, "autograder.kernel", "hidden_checks"]
    for page in feedback.values():
        assert [word for word in hidden if word in plain(page)] == []
    assert "seem to be exchanged" in plain(feedback["partly-wrong"])  # the hint of the wrong answer
    assert "data:image/svg+xml;base64," in feedback["partly-wrong"]
    assert "points extra" in plain(feedback["partly-wrong"])


@pytest.mark.full
def test_release_feedback_passes_by_who_cannot_fetch_it(course: Path, feedback: dict[str, str]) -> None:
    """Whoever handed in through the exchange gets the feedback, although others did not and come before in order."""
    said = nbgrader(course, "release_feedback", NAME)
    released = (course.parent / "exchange" / NAME / "feedback").glob("*.html")
    assert [path.read_text("utf-8") for path in released] == [feedback[ADA]]
    assert "Not released, for lack of a hand-in through the exchange: broken, correct, hostile, partly-wrong." in said


@pytest.mark.full
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
