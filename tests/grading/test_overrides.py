"""A person's decision about a mark holds however often the submission is marked again."""

from __future__ import annotations

import csv
import shutil
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from autograder.assignment import load_assignment
from autograder.errors import UsageError
from autograder.grading.overrides import load_overrides, override_command
from autograder.report import GRADER_ERROR, Report, unmarked
from tests.fake_class import grade, report, results_of, rows, run, use_fake_judge
from tests.fake_judge import NAME, hand_in, small_course
from tests.nbgrader_courses import report_of


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """Return a small course."""
    return small_course(tmp_path / "course")


def decide(course: Path, student: str, task: str, points: float | None, reason: str = "A fair point.") -> str:
    """Enter a decision."""
    return override_command(load_assignment(course), student, task, points, reason)


def test_last_decision_holds_until_it_is_taken_back(course: Path) -> None:
    """Rows are only added; the last one about a task counts, one without points takes them back."""
    marked = report_of("ada", {"ema_update": Fraction(0)})
    decide(course, "ada", "ema_update", 3)
    decide(course, "ada", "ema_update", 4.5, 'He said "see line 3", rightly')
    decided = load_overrides(load_assignment(course)).apply(marked)
    task = next(task for task in decided.tasks if task.id == "ema_update")
    assert (task.score, decided.score) == (4.5, 88.5)
    assert [notice.code for notice in decided.warnings] == ["override"]
    assert "4.5 of 16 points" in decided.warnings[0].message
    assert 'He said "see line 3", rightly' in decided.warnings[0].message
    decide(course, "ada", "ema_update", None)
    assert load_overrides(load_assignment(course)).apply(decided) == marked
    assert len((course / "overrides.csv").read_text().splitlines()) == 4


def test_decisions_are_one_students(course: Path) -> None:
    """Nobody else's report changes, and no report that has no mark yet."""
    decide(course, "ada", "noisy_sample", 3)
    overrides = load_overrides(load_assignment(course))
    assert overrides.apply(report_of("ben")) == report_of("ben")
    fault = unmarked(load_assignment(course), "ada", GRADER_ERROR, "Ours.")
    assert overrides.apply(fault) == fault


def test_decided_report_is_stored_and_read_back(course: Path) -> None:
    """The JSON holds the points and the reason, and is the report again."""
    decide(course, "ada", "noisy_sample", 3)
    decided = load_overrides(load_assignment(course)).apply(report_of("ada"))
    value = decided.to_dict()
    assert value["tasks"][0]["override"] == {"score": 3.0, "reason": "A fair point."}
    assert Report.from_dict(value) == replace(decided, staff={})


@pytest.mark.parametrize(
    ("student", "task", "points", "reason", "words"),
    [
        ("ada", "nothing", 1.0, "why", "no task 'nothing'"),
        ("ada", "noisy_sample", 60.5, "why", "between 0 and 60"),
        ("ada", "noisy_sample", -1.0, "why", "between 0 and 60"),
        ("ada", "noisy_sample", float("nan"), "why", "between 0 and 60"),
        ("ada", "noisy_sample", 1.0, "  ", "needs a reason"),
    ],
)
def test_impossible_decisions_are_refused(
    course: Path, student: str, task: str, points: float, reason: str, words: str
) -> None:
    """A slip is a sentence, and nothing is entered."""
    with pytest.raises(UsageError, match=words):
        decide(course, student, task, points, reason)
    assert not (course / "overrides.csv").exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("student,points\nada,3\n", "expected the columns"),
        ("when,by,student,task,points,reason\n,,ada,noisy_sample\n", "line 2: expected 6 fields"),
        ("when,by,student,task,points,reason\n,,ada,noisy_sample,much,so\n", "line 2: the points"),
        ("when,by,student,task,points,reason\n,,ada,nosy_sample,3,so\n", "line 2: there is no task"),
        (
            "when,by,assignment,student,task,points,reason\n,,hw9,ada,noisy_sample,3,so\n",
            "line 2: there is no assignment",
        ),
        ("when,by,assignment,student,task,points,reason\n,,ada,noisy_sample,3,so\n", "line 2: expected 7 fields"),
    ],
)
def test_a_file_with_a_slip_marks_nobody(course: Path, text: str, words: str) -> None:
    """A mark is never guessed from a row that makes no sense."""
    (course / "overrides.csv").write_text(text)
    with pytest.raises(UsageError, match=words):
        load_overrides(load_assignment(course))


OLD = "when,by,student,task,points,reason\n2026-01-01,lee,ada,noisy_sample,3,fair\n"


def test_decisions_of_the_version_before_belong_to_the_only_assignment(course: Path) -> None:
    """The file had no column for it; the next decision writes it."""
    (course / "overrides.csv").write_text(OLD)
    assert load_overrides(load_assignment(course)).apply(report_of("ada")).tasks[0].score == 3.0
    decide(course, "ben", "ema_update", 1)
    with open(course / "overrides.csv", newline="", encoding="utf-8") as file:
        found = [(row["assignment"], row["student"], row["points"]) for row in csv.DictReader(file)]
    assert found == [(NAME, "ada", "3"), (NAME, "ben", "1")]


def test_decisions_without_an_assignment_are_refused_in_a_course_of_several(course: Path) -> None:
    """Both may have a task of that name, and a mark is never guessed."""
    other = course / "source" / "homework" / "homework.ipynb"
    other.parent.mkdir()
    shutil.copy(course / "source" / NAME / f"{NAME}.ipynb", other)
    decide_on = load_assignment(course, "homework")
    override_command(decide_on, "ada", "noisy_sample", 2.0, "So.")
    assert load_overrides(load_assignment(course, NAME)).apply(report_of("ada")) == report_of("ada")
    assert load_overrides(decide_on).apply(report_of("ada")).tasks[0].score == 2.0
    (course / "overrides.csv").write_text(OLD)
    with pytest.raises(UsageError, match="line 2: it names no assignment; the course has consistency-models, homework"):
        load_overrides(decide_on)


def test_grade_applies_decisions_without_marking_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A decision reaches JSON, CSV and page at the next run, survives --force, and goes when it is taken back."""
    course = use_fake_judge(monkeypatch, tmp_path)
    hand_in(course, "ada", "nothing")
    assert grade(course) == 0
    assert rows(course)[0]["score"] == "0.0"
    assert run("override", "ada", "ema_update", "40", "--reason", "Right, in another form.") == 0
    assert "40 of 40 points" in capsys.readouterr().out
    for force in (False, True):
        assert grade(course, force=force) == 0
        told = capsys.readouterr().out
        assert ("1 of 1 changed by a person's decision" in told) is not force
        assert "unchanged" not in told
        assert (rows(course)[0]["score"], rows(course)[0]["ema_update"]) == ("40.0", "40.0")
        assert report(course, "ada")["warnings"][0]["message"].endswith("Right, in another form.")
        assert "Right, in another form." in (results_of(course) / "ada.html").read_text()
    assert grade(course) == 0
    told = capsys.readouterr().out
    assert "1 of 1 were marked before and are unchanged" in told
    assert "person's decision" not in told
    assert "1 student: 1 graded." in told
    assert run("override", "ada", "ema_update", "--withdraw", "--reason", "A slip.") == 0
    assert grade(course) == 0
    assert "1 of 1 changed by a person's decision" in capsys.readouterr().out
    assert rows(course)[0]["score"] == "0.0"
    assert run("override", "ada", "ema_update", "41", "--reason", "More.") == 2


def test_a_decision_about_nobody_is_doubted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is entered all the same: the hand-in may come; who has handed in, or has a report, is not doubted."""
    course = use_fake_judge(monkeypatch, tmp_path)

    def doubted(student: str) -> bool:
        assert run("override", student, "ema_update", "1", "--reason", "So.") == 0
        return f"no hand-in of '{student}' is known yet; is the name right?" in capsys.readouterr().err

    assert doubted("ada")
    hand_in(course, "ada", "fine")
    assert grade(course) == 0
    hand_in(course, "ben", "fine")
    (course / "submitted" / "ada").rename(tmp_path / "gone")
    assert [doubted(student) for student in ("ada", "ben", "adda")] == [False, False, True]
    assert len((course / "overrides.csv").read_text().splitlines()) == 5
