"""The gradebook that `autograder grade` writes is nbgrader's own, and a person's marks in it are kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import nbformat
import pytest
import sqlalchemy as sa
from nbgrader import api

from autograder import cli
from autograder.assignment import load_assignment
from autograder.errors import GraderFault, UsageError
from autograder.intake.class_folder import Handin
from autograder.nbgrader_host.course import load_course
from autograder.nbgrader_host.gradebook import Gradebook
from autograder.nbgrader_host.gradebook_rows import student_key
from autograder.report import GRADER_ERROR, UNREADABLE, unmarked
from tests.nbgrader_courses import course_folder, grade_of, report_of, submission_of
from tests.notebooks import NAME, assignment, cell, reference_notebook, write

NOTHING = Fraction(0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a course folder whose gradebook the tests share, a student each."""
    return course_folder(tmp_path_factory.mktemp("gradebook") / "course")


@pytest.fixture(scope="module")
def gradebook(folder: Path) -> Iterator[Gradebook]:
    """Return its gradebook, opened by us."""
    with Gradebook(load_course(folder), load_assignment(folder)) as opened:
        yield opened


@pytest.fixture
def book(folder: Path, gradebook: Gradebook) -> Iterator[api.Gradebook]:
    """Return the same gradebook, opened by nbgrader."""
    with api.Gradebook(gradebook.url) as opened:
        yield opened


def handin(folder: Path, student: str, reflection: str = "Because the target lags behind.") -> Handin:
    """Hand in the right answers with a written answer."""
    notebook = reference_notebook()
    cell(notebook, "reflect_1").source = reflection
    path = write(notebook, folder / "submitted" / student / NAME)
    path.with_name("timestamp.txt").write_text("2026-11-01 10:00:00.000000 UTC")
    return Handin(student, path)


def test_bonus_never_raises_the_maximum(folder: Path, gradebook: Gradebook, book: api.Gradebook) -> None:
    """The maximum is 100 points and the two written answers; a bonus is extra credit on top of the score."""
    gradebook.write(report_of("ada"), handin(folder, "ada"))
    submission = submission_of(book, "ada")
    assert (submission.score, submission.max_score) == (110.0, 120.0)
    grade = grade_of(book, "ada", "test_consistency_training_pair")
    assert (grade.auto_score, grade.extra_credit, grade.max_score) == (0.0, 10.0, 0.0)
    assert submission.timestamp.isoformat() == "2026-11-01T10:00:00"


def test_partial_credit_and_written_answers_are_entered(
    folder: Path, gradebook: Gradebook, book: api.Gradebook
) -> None:
    """A part of a task's points is entered exactly; an answer in words waits for a person, an empty one does not."""
    shares = {"ema_update": Fraction(1, 3), "consistency_training_pair": NOTHING}
    gradebook.write(report_of("ben", shares), handin(folder, "ben"))
    assert grade_of(book, "ben", "test_ema_update").auto_score == pytest.approx(16 / 3, abs=1e-6)
    assert grade_of(book, "ben", "test_consistency_training_pair").extra_credit is None
    assert grade_of(book, "ben", "reflect_1").needs_manual_grade
    empty = grade_of(book, "ben", "reflect_2")
    assert (empty.auto_score, empty.needs_manual_grade) == (0.0, False)


def test_a_persons_marks_survive(folder: Path, gradebook: Gradebook, book: api.Gradebook) -> None:
    """Manual marks, comments and changed bonuses stay when the same submission is marked again, in other ways too."""
    given = handin(folder, "cleo")
    gradebook.write(report_of("cleo"), given)
    for name, mark in (("reflect_1", 7.5), ("test_ema_update", 12.0)):
        grade = grade_of(book, "cleo", name)
        grade.manual_score, grade.needs_manual_grade = mark, False
    grade_of(book, "cleo", "test_consistency_training_pair").extra_credit = 4.0
    book.find_comment("reflect_1", NAME, NAME, "cleo").manual_comment = "Well seen."
    book.db.commit()
    gradebook.write(report_of("cleo", {"noisy_sample": NOTHING}), given)
    book.db.expire_all()
    reflection = grade_of(book, "cleo", "reflect_1")
    assert (reflection.score, reflection.needs_manual_grade) == (7.5, False)
    assert grade_of(book, "cleo", "test_ema_update").score == 12.0
    assert grade_of(book, "cleo", "test_consistency_training_pair").extra_credit == 4.0
    assert grade_of(book, "cleo", "test_noisy_sample").score == 0.0
    assert book.find_comment("reflect_1", NAME, NAME, "cleo").comment == "Well seen."


def test_another_submission_asks_for_another_look(folder: Path, gradebook: Gradebook, book: api.Gradebook) -> None:
    """A mark by hand is kept for a new submission, and flagged for review."""
    gradebook.write(report_of("dan"), handin(folder, "dan"))
    grade = grade_of(book, "dan", "reflect_1")
    grade.manual_score, grade.needs_manual_grade = 7.5, False
    book.db.commit()
    gradebook.write(report_of("dan", sha256="1" * 64), handin(folder, "dan", "Another thought."))
    book.db.expire_all()
    grade = grade_of(book, "dan", "reflect_1")
    assert (grade.score, grade.needs_manual_grade) == (7.5, True)


def test_bonus_follows_a_new_report(folder: Path, gradebook: Gradebook, book: api.Gradebook) -> None:
    """What we entered as a bonus we take back when the bonus is gone."""
    given = handin(folder, "eve")
    gradebook.write(report_of("eve"), given)
    gradebook.write(report_of("eve", {"consistency_training_pair": NOTHING}), given)
    assert grade_of(book, "eve", "test_consistency_training_pair").extra_credit is None
    gradebook.write(report_of("eve"), given)
    book.db.expire_all()
    assert grade_of(book, "eve", "test_consistency_training_pair").extra_credit == 10.0


def test_our_own_fault_is_no_mark(folder: Path, gradebook: Gradebook, book: api.Gradebook) -> None:
    """A grader_error leaves no row, and an earlier mark as it was."""
    gradebook.write(report_of("fay"), handin(folder, "fay"))
    for student in ("fay", "gus"):
        fault = unmarked(assignment(), student, GRADER_ERROR, "The grader failed.")
        gradebook.write(fault, Handin(student, None))
    assert submission_of(book, "fay").score == 110.0
    with pytest.raises(api.MissingEntry):
        book.find_submission(NAME, "gus")


def test_nothing_readable_is_zero_with_the_reason(folder: Path, gradebook: Gradebook, book: api.Gradebook) -> None:
    """A broken file has a row of zeros that waits for nobody, and a notebook that says why."""
    path = folder / "submitted" / "hal" / NAME / f"{NAME}.ipynb"
    path.parent.mkdir(parents=True)
    path.write_text("{")
    gradebook.write(unmarked(assignment(), "hal", UNREADABLE, "It is cut short."), Handin("hal", path))
    submission = submission_of(book, "hal")
    assert (submission.score, submission.needs_manual_grade) == (0.0, False)
    marked = nbformat.read(folder / "autograded" / "hal" / NAME / f"{NAME}.ipynb", as_version=4)
    assert "It is cut short" in marked.cells[0].source.replace("\\", "")


def test_holds_knows_what_was_written(folder: Path, gradebook: Gradebook) -> None:
    """The very report that was written is known again, without its seconds; another one is not."""
    report, given = report_of("ida"), handin(folder, "ida")
    assert not gradebook.holds(report, given)
    gradebook.write(report, given)
    assert gradebook.holds(replace(report, seconds=9.0), given)
    assert not gradebook.holds(report_of("ida", {"ema_update": NOTHING}), given)


def test_a_failure_leaves_no_half_student(
    folder: Path, gradebook: Gradebook, book: api.Gradebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the disk fails under the notebook, nothing of the student is entered."""

    def fail(path: Path, data: bytes | str) -> None:
        if path.suffix == ".ipynb":
            raise GraderFault("the disk is full")

    monkeypatch.setattr("autograder.nbgrader_host.gradebook.write_atomically", fail)
    with pytest.raises(GraderFault, match="full"):
        gradebook.write(report_of("jon"), handin(folder, "jon"))
    with pytest.raises(api.MissingEntry):
        book.find_student("jon")


def test_odd_names_have_a_key_each() -> None:
    """What nbgrader's column or a folder cannot hold is spelled otherwise; ordinary names are themselves."""
    assert student_key("ada lovelace@example.edu") == "ada lovelace@example.edu"
    odd = ["", ".", "..", "a/b", "two\nlines", "é" * 200, "é" * 201]
    keys = [student_key(name) for name in odd]
    assert len(set(keys)) == len(odd)
    assert all(len(key) <= 128 and "/" not in key and key not in ("", ".", "..") for key in keys)


def test_a_database_that_is_not_there_is_said_in_a_sentence(folder: Path) -> None:
    """The message names the database without its password."""
    url = "sqlite:////nowhere/at/all/gradebook.db"
    with pytest.raises(UsageError, match="cannot be opened"):
        Gradebook(load_course(folder), load_assignment(folder), url)
    with pytest.raises(UsageError) as caught:
        Gradebook(load_course(folder), load_assignment(folder), "postgresql://me:secret@localhost/none")
    assert "secret" not in str(caught.value)


def test_a_database_that_can_only_be_read_is_said_in_a_sentence(folder: Path, gradebook: Gradebook) -> None:
    """It is known when it is opened, and also when it becomes so later."""
    path = gradebook.url.removeprefix("sqlite:///")
    with pytest.raises(UsageError, match="cannot be written: attempt to write a readonly database; make it writable"):
        Gradebook(load_course(folder), load_assignment(folder), f"sqlite:///file:{path}?mode=ro&uri=true")
    try:
        with gradebook._transaction() as db:
            db.execute(sa.text("PRAGMA query_only = ON"))
        with pytest.raises(UsageError, match="cannot be written"):
            gradebook.extend("zoe", hours=1)
    finally:
        with gradebook._transaction() as db:
            db.execute(sa.text("PRAGMA query_only = OFF"))


def test_late_penalty_follows_the_table(tmp_path: Path) -> None:
    """Two hours late lose the percentage of their row; an extension comes first."""
    settings = "c.LatePolicy.table = [(1, 0), (24, 10)]"
    folder = course_folder(tmp_path / "course", settings)
    with Gradebook(load_course(folder), load_assignment(folder)) as gradebook:
        with api.Gradebook(gradebook.url) as book:
            book.update_or_create_assignment(NAME, duedate="2026-11-01 08:00:00 UTC")
        gradebook.write(report_of("ada"), handin(folder, "ada"))
        gradebook.extend("ben", hours=1.5)
        gradebook.write(report_of("ben"), handin(folder, "ben"))
        gradebook.write(report_of("cleo"), handin(folder, "cleo"))
        gradebook.write(report_of("cleo", {task.id: NOTHING for task in assignment().tasks}), handin(folder, "cleo"))
    with api.Gradebook(gradebook.url) as book:
        assert submission_of(book, "cleo").late_submission_penalty == 0.0  # of the mark that it has by now
        assert submission_of(book, "ada").late_submission_penalty == pytest.approx(11.0)
        assert submission_of(book, "ben").late_submission_penalty == 0.0
        assert submission_of(book, "ben").score == 110.0


def test_penalty_is_the_one_that_is_due_now(tmp_path: Path) -> None:
    """An extension counts at once; a due date or a time of hand-in that has changed makes the next grading enter it."""
    folder = course_folder(tmp_path / "course", "c.LatePolicy.table = [(1, 0), (24, 10)]")

    def penalty() -> float:
        with api.Gradebook(gradebook.url) as book:
            return float(submission_of(book, "ada").late_submission_penalty)

    with Gradebook(load_course(folder), load_assignment(folder)) as gradebook:
        with api.Gradebook(gradebook.url) as book:
            book.update_or_create_assignment(NAME, duedate="2026-11-01 08:00:00 UTC")
        report, given = report_of("ada"), handin(folder, "ada")
        gradebook.write(report, given)
        assert penalty() == pytest.approx(11.0)
        gradebook.extend("ada", hours=1.5)
        assert penalty() == 0.0
        assert gradebook.holds(report, given)
        gradebook.extend("ada", hours=0)
        assert penalty() == pytest.approx(11.0)
        assert gradebook.holds(report, given)
        with api.Gradebook(gradebook.url) as book:
            book.update_or_create_assignment(NAME, duedate="2026-11-02 08:00:00 UTC")
        assert not gradebook.holds(report, given)
        gradebook.write(report, given)
        assert penalty() == 0.0
        (given.notebook.parent / "timestamp.txt").write_text("2026-11-02 12:00:00 UTC")
        assert not gradebook.holds(report, given)


def test_more_time_for_nobody_is_doubted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A student whom the gradebook has is known, also one who has handed nothing in."""
    for said in ("no hand-in of 'amy' is known yet; is the name right?", ""):
        assert cli.main(["extend", "amy", "2d", "--course", str(folder)]) == 0
        shown = capsys.readouterr()
        assert "amy has 48 hours more" in shown.out
        assert said in shown.err
        assert ("is known yet" in shown.err) is bool(said)
