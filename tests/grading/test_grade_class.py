"""A class: every student has one report, whatever a submission or a worker does."""

from __future__ import annotations

import json
import os
from contextlib import nullcontext
from pathlib import Path
from platform import node
from typing import Any, cast

import pytest

from autograder.assignment import load_assignment
from autograder.errors import GraderFault, IsolationMissing, UsageError
from autograder.grading.grade_class import ClassJob, grade_class
from autograder.grading.job import Marking
from autograder.grading.results_folder import Results
from autograder.intake.class_folder import Handin, Roll
from autograder.report import Report
from autograder.settings import Settings
from autograder.system.files import write_atomically
from tests.fake_class import HOSTILE_NAMES, grade, marked, report, results_of, rows, run, use_fake_judge
from tests.fake_judge import NAME, FakeJudge, hand_in, small_course


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """Return a small course in which judges leave a trace of their lives."""
    folder = small_course(tmp_path / "course")
    (folder / "lives").mkdir()
    return folder


def test_grade_gives_every_student_a_report(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Right, partly right, unreadable and missing submissions all have their files and a row, and the code is 0."""
    for student, text in (("ada", "fine"), ("ben", "partly"), ("cleo", "broken"), ("dan", "nothing")):
        hand_in(course, student, text)
    (course / "submitted" / "eve" / "consistency-models").mkdir(parents=True)
    assert grade(course) == 0
    table = {row["student"]: row for row in rows(course)}
    assert {name: row["status"] for name, row in table.items()} == {
        "ada": "graded", "ben": "graded", "cleo": "unreadable", "dan": "graded", "eve": "unreadable",
    }  # fmt: skip
    assert list(table["ada"].values()) == ["ada", "100.0", "100.0", "10.0", "graded", "60.0", "40.0", "10.0"]
    assert [table[name]["score"] for name in ("ben", "cleo", "dan", "eve")] == ["66.666667", "0.0", "0.0", "0.0"]
    assert "no file that ends in .ipynb" in report(course, "eve")["reason"]
    for name in table:
        assert (results_of(course) / f"{name}.html").is_file()
        assert json.loads((results_of(course) / "staff" / f"{name}.json").read_text())["student"] == name
        assert "for staff alone" not in (results_of(course) / f"{name}.json").read_text()
    assert 'href="ada.html"' in (results_of(course) / "index.html").read_text()
    out = capsys.readouterr().out
    assert str(results_of(course) / "index.html") in out
    assert "66.67 / 100" in out


def test_grade_after_our_own_fault_goes_on_and_returns_4(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A fault on one submission leaves its score empty, is told to staff alone, and is tried again next time."""
    for student, text in (("ada", "fine"), ("ben", "fault"), ("cleo", "odd"), ("dan", "fine")):
        hand_in(course, student, text)
    assert grade(course) == 4
    table = {row["student"]: row for row in rows(course)}
    assert (table["ben"]["score"], table["ben"]["noisy_sample"], table["ben"]["status"]) == ("", "", "grader_error")
    assert table["dan"]["score"] == "100.0"
    assert "secret" not in json.dumps(report(course, "ben")) + json.dumps(report(course, "cleo"))
    staff = json.loads((results_of(course) / "staff" / "cleo.json").read_text())["staff"]
    assert "Odd" in staff["fault"]
    assert "Traceback" in staff["traceback"]
    assert "failed on 2" in capsys.readouterr().out
    marked(course)
    assert grade(course) == 4
    assert marked(course) == 2
    hand_in(course, "cleo", "fine")
    hand_in(course, "ben", "fine")
    assert grade(course) == 0
    assert marked(course) == 2


def test_grade_without_the_isolation_ends_at_once(course: Path) -> None:
    """No report is made when the machine cannot mark anybody."""
    hand_in(course, "ada", "fine")
    with pytest.raises(IsolationMissing):
        grade(course, isolation="process")
    assert not (results_of(course) / "ada.json").exists()


def test_grade_again_marks_only_what_changed(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Unchanged submissions keep their reports; a changed one, or a damaged or missing report, is marked again."""
    for student in ("ada", "ben", "cleo"):
        hand_in(course, student, "fine")
    hand_in(course, "dan", "broken")
    assert grade(course) == 0
    assert marked(course) == 4
    before = (results_of(course) / "grades.csv").read_bytes()
    assert grade(course) == 0
    assert marked(course) == 0
    assert "4 of 4 were marked before" in capsys.readouterr().out
    assert (results_of(course) / "grades.csv").read_bytes() == before
    hand_in(course, "ada", "partly")
    (results_of(course) / "ben.json").write_text('{"score": 100')
    (results_of(course) / "cleo.html").unlink()
    assert grade(course) == 0
    assert marked(course) == 3
    assert report(course, "ada")["score"] == 66.666667
    assert report(course, "ben")["score"] == 100.0
    (course / "autograder.toml").touch()
    assert grade(course, force=True) == 0
    assert marked(course) == 4


def test_grade_again_after_the_assignment_changed_marks_all(course: Path) -> None:
    """The assignment's notebook is part of what a mark depends on."""
    hand_in(course, "ada", "fine")
    assert grade(course) == 0
    marked(course)
    source = course / "source" / "consistency-models" / "consistency-models.ipynb"
    source.write_text(source.read_text().replace("60.0", "50.0"))
    assert grade(course) == 0
    assert marked(course) == 1


def test_grade_is_safe_for_hostile_names(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every name has its own report inside the folder of results, and a row that no spreadsheet computes."""
    for name in HOSTILE_NAMES:
        path = course / "submitted" / name.replace("/", "\u2215") / "hw.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("fine")
    raw = os.path.join(os.fsencode(course / "submitted"), b"latin-\xff")
    os.mkdir(raw)
    before = sorted(path for path in course.iterdir() if path.name != "results")
    assert grade(course) == 0
    students = [handin.student for handin in Roll(course / "submitted", results_of(course), NAME)]
    assert len(students) == len(HOSTILE_NAMES) + 1
    assert [report(course, student)["student"] for student in students] == students
    assert sorted(path for path in course.iterdir() if path.name != "results") == before
    names = [row["student"] for row in rows(course)]
    assert len(set(names)) == len(students)
    assert not any(name.startswith(tuple("=+-@\t\r\n")) for name in names)
    assert "'=HYPERLINK" in "".join(names)
    assert "::set-output" not in capsys.readouterr().out
    index = (results_of(course) / "index.html").read_text(encoding="utf-8")
    assert "<script>alert" not in index
    assert "\u202e" not in index


def test_grade_warns_of_several_notebooks(course: Path) -> None:
    """The choice stands in the report."""
    hand_in(course, "ada", "fine").with_name("copy.ipynb").write_text("nothing")
    assert grade(course) == 0
    assert report(course, "ada")["score"] == 100.0
    assert [warning["code"] for warning in report(course, "ada")["warnings"]] == ["several_notebooks"]


def test_results_of_the_version_before_are_left_alone_with_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are in results/ itself: said once, still read by `report`, and continued with --out."""
    course = use_fake_judge(monkeypatch, tmp_path)
    hand_in(course, "ada", "fine")
    old = course / "results"
    assert run("grade", "--out", old, "--gradebook", "none") == 0
    before = {path: path.read_bytes() for path in old.rglob("*") if path.is_file()}
    assert "earlier version" not in capsys.readouterr().out
    assert run("grade", "--gradebook", "none") == 0
    told = " ".join(capsys.readouterr().out.split())
    assert f"{old} holds reports of an earlier version" in told
    assert f"--out {old}" in told
    assert {path: path.read_bytes() for path in before} == before
    assert report(course, "ada")["student"] == "ada"
    assert run("grade", "--gradebook", "none") == 0
    assert "earlier version" not in capsys.readouterr().out
    assert run("report", old) == 0


def test_grade_refuses_a_place_that_cannot_hold_results(course: Path) -> None:
    """A file where the folder should be is said before anything is marked."""
    hand_in(course, "ada", "fine")
    results_of(course).parent.mkdir()
    results_of(course).write_text("a file")
    with pytest.raises(UsageError, match="cannot hold the results"):
        grade(course)
    assert marked(course) == 0


def test_grade_on_a_full_disk_ends_with_a_sentence(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A report that cannot be written ends the run; no half-written one is taken for a result."""
    hand_in(course, "ada", "fine")
    results_of(course).mkdir(parents=True)
    (results_of(course) / "ada.html").symlink_to("/dev/full")
    with pytest.raises(GraderFault, match="the disk is full"):
        grade(course)
    (results_of(course) / "ada.html").unlink()
    marked(course)
    assert grade(course) == 0
    assert marked(course) == 1


@pytest.mark.parametrize("written", [0, 1, 2])
def test_grade_ended_between_two_files_of_a_report_marks_it_again(
    course: Path, monkeypatch: pytest.MonkeyPatch, written: int
) -> None:
    """A page, a report and a staff's record that do not belong together are never taken for a result."""
    hand_in(course, "ada", "partly")
    assert grade(course) == 0
    hand_in(course, "ada", "fine")
    left = iter(range(written))

    def write_some(path: Path, data: str) -> None:
        if next(left, None) is None:
            raise GraderFault("the power went")
        write_atomically(path, data)

    with monkeypatch.context() as patch:
        patch.setattr("autograder.grading.results_folder.write_atomically", write_some)
        with pytest.raises(GraderFault, match="the power went"):
            grade(course)
    marked(course)
    assert grade(course) == 0
    assert marked(course) == 1
    assert "100" in (results_of(course) / "ada.html").read_text()
    assert report(course, "ada")["score"] == 100.0


def test_grade_while_another_is_at_work_leaves(course: Path) -> None:
    """Two runs on one folder would write over one another: the second says so, and the first is not disturbed."""
    hand_in(course, "ada", "fine")
    marking = Marking(load_assignment(course), Settings(), "namespaces", FakeJudge)
    with Results(results_of(course), marking) as first:
        half = first.out / ".0011223344556677.tmp"
        half.touch()
        with pytest.raises(UsageError, match=rf"another .* at work on .* \(process {os.getpid()} on {node()}\)"):
            grade(course)
        assert half.exists()
    assert marked(course) == 0
    assert grade(course) == 0


def test_grade_tells_each_submission_where_asked(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--verbose prints a line each, safe to show; without it a pipe gets the table and the counts alone."""
    hand_in(course, "ada", "partly")
    hand_in(course, "ben", "broken")
    hand_in(course, "::set-output name=score::100", "fine")
    assert grade(course, verbose=True) == 0
    shown = capsys.readouterr()
    lines = sorted(shown.err.splitlines())
    assert lines[1:] == [
        "ada: 66.67 / 100, graded (0.5 s)",
        "ben: 0 / 100, unreadable: the file ends at byte 7; download it again and hand it in again (0.0 s)",
    ]
    assert lines[0].startswith(": :set-output name=score: :100: 100 / 100, graded")
    assert "3 students: 2 graded, 1 unreadable." in shown.out
    assert grade(course, force=True) == 0
    assert capsys.readouterr().err == ""


def test_grade_into_the_folder_of_submissions_again_finds_the_same_class(course: Path) -> None:
    """What the first run wrote beside the submissions is no student of the second."""
    folder = course / "submitted"
    hand_in(course, "ada", "fine")
    for out in (folder, folder, folder / "later"):
        marking = Marking(load_assignment(course), Settings(), "namespaces", FakeJudge)
        assert grade_class(ClassJob(folder, out, 1), marking) == 0
        assert (out / "grades.csv").read_text().splitlines()[1:] == ["ada,100.0,100.0,10.0,graded,60.0,40.0,10.0"]


def test_a_stored_report_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is stored already, one that a person has decided about since, one that is marked now."""
    course = small_course(tmp_path / "course")
    for name in ("ann", "bea"):
        hand_in(course, name, "fine")
    assert grade(course) == 0
    hand_in(course, "zoe", "fine")
    decided = "when,by,student,task,points,reason\n2026-01-01,lee,ann,ema_update,1,a good idea\n"
    (course / "overrides.csv").write_text(decided)
    read: list[str] = []
    known = Report.from_dict

    def counted(value: dict[str, Any], *args: Any, **beside: Any) -> Report:
        read.append(value["student"])
        return known(value, *args, **beside)

    monkeypatch.setattr(Report, "from_dict", counted)
    assert grade(course) == 0
    assert read == ["ann", "bea", "zoe"]
    assert {row["student"]: row["score"] for row in rows(course)} == {"ann": "61.0", "bea": "100.0", "zoe": "100.0"}


class Book:
    """A gradebook that notes what it is given to show."""

    def __init__(self) -> None:
        self.shown: dict[str, str] = {}

    def holds(self, report: Report, handin: Handin) -> bool:
        return handin.student in self.shown

    def write(self, report: Report, handin: Handin) -> None:
        assert handin.notebook is not None
        self.shown[handin.student] = handin.notebook.read_text()


def test_a_gradebook_gets_the_notebook_that_was_marked(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where another one lies there by now, it is entered when that is marked, by the next run."""
    hand_in(course, "ada", "fine")
    hand_in(course, "ben", "nothing, and anew")
    book = Book()
    marking = Marking(load_assignment(course), Settings(), "namespaces", FakeJudge)
    job = ClassJob(course / "submitted", course / "results", 1, open_gradebook=lambda: nullcontext(cast(Any, book)))
    assert grade_class(job, marking) == 0
    assert set(book.shown) == {"ada"}
    assert "run again to mark that: ben." in capsys.readouterr().out
    assert grade_class(job, marking) == 0
    assert book.shown == {"ada": "fine", "ben": "fine"}
    assert "run again" not in capsys.readouterr().out
