"""A class: every student has one report, whatever a submission or a worker does."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from autograder.assignment import load_assignment
from autograder.batch import ClassJob, grade_class
from autograder.errors import GraderFault, IsolationMissing, UsageError
from autograder.marking import Marking
from autograder.settings import Settings
from autograder.students import file_name, handins, student_id
from tests.fake_judge import FakeJudge, hand_in, small_course

ROOT = Path(__file__).parents[1]
HOSTILE_NAMES = [
    '=HYPERLINK("http:evil","x")', "+1", "-1", "@SUM(A1)", "a,b", "two\nlines", "tab\there", "emoji 😀", "a\\b",
    "\u202egnp.exe", "%2e%2e", "index", "Index", "staff", "quote'\"", "<script>alert(1)<", "ends.", "ends ", "~tilde",
    "x" * 250, "é" * 120, "::set-output name=score::100", "\x1b[31mred", "NUL", "$(reboot)", "consistency-models",
]  # fmt: skip


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """Return a small course in which judges leave a trace of their lives."""
    folder = small_course(tmp_path / "course")
    (folder / "lives").mkdir()
    return folder


def grade(course: Path, *, workers: int = 2, force: bool = False, isolation: str = "namespaces") -> int:
    """Grade the course's class with the fake judge."""
    marking = Marking(load_assignment(course), Settings(), isolation, FakeJudge)
    return grade_class(ClassJob(course / "submitted", course / "results", workers, force), marking)


def report(course: Path, student: str) -> dict[str, Any]:
    """Return a student's JSON report."""
    value: dict[str, Any] = json.loads((course / "results" / f"{file_name(student)}.json").read_text())
    return value


def rows(course: Path) -> list[dict[str, str]]:
    """Return the rows of grades.csv."""
    text = (course / "results" / "grades.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def marked(course: Path) -> int:
    """Return how often a submission was marked, and forget it."""
    files = list((course / "lives").glob("marked-*"))
    count = sum(len(file.read_text().splitlines()) for file in files)
    for file in files:
        file.unlink()
    return count


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
        assert (course / "results" / f"{name}.html").is_file()
        assert json.loads((course / "results" / "staff" / f"{name}.json").read_text())["student"] == name
        assert "for staff alone" not in (course / "results" / f"{name}.json").read_text()
    assert 'href="ada.html"' in (course / "results" / "index.html").read_text()
    out = capsys.readouterr().out
    assert str(course / "results" / "index.html") in out
    assert "66.67 / 100" in out


def test_grade_keeps_one_judge_a_worker_and_closes_it(course: Path) -> None:
    """Judges stay warm from one submission to the next, and none is left open."""
    for n in range(6):
        hand_in(course, f"s{n}", "fine")
    assert grade(course, workers=2) == 0
    opened = {path.name.partition("-")[2] for path in (course / "lives").glob("opened-*")}
    closed = {path.name.partition("-")[2] for path in (course / "lives").glob("closed-*")}
    assert opened == closed
    assert 1 <= len(opened) <= 2
    assert all(path.read_text() == ".\n" for path in (course / "lives").glob("opened-*"))
    assert marked(course) == 6


def test_grade_after_our_own_fault_goes_on_and_returns_4(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A fault on one submission leaves its score empty, is told to staff alone, and is tried again next time."""
    for student, text in (("ada", "fine"), ("ben", "fault"), ("cleo", "odd"), ("dan", "fine")):
        hand_in(course, student, text)
    assert grade(course) == 4
    table = {row["student"]: row for row in rows(course)}
    assert (table["ben"]["score"], table["ben"]["noisy_sample"], table["ben"]["status"]) == ("", "", "grader_error")
    assert table["dan"]["score"] == "100.0"
    assert "secret" not in json.dumps(report(course, "ben")) + json.dumps(report(course, "cleo"))
    staff = json.loads((course / "results" / "staff" / "cleo.json").read_text())["staff"]
    assert "Odd" in staff["fault"]
    assert "Traceback" in staff["traceback"]
    assert "failed on 2" in capsys.readouterr().out
    marked(course)
    hand_in(course, "cleo", "fine")
    hand_in(course, "ben", "fine")
    assert grade(course) == 0
    assert marked(course) == 2


def test_grade_tries_again_what_lost_its_worker(course: Path) -> None:
    """A killed worker costs nobody a report; what kills its worker again is reported as our fault."""
    for n in range(6):
        hand_in(course, f"s{n}", "fine")
    hand_in(course, "once", "kill once")
    hand_in(course, "zoe", "kill always")
    assert grade(course) == 4
    status = {row["student"]: row["status"] for row in rows(course)}
    assert Counter(status.values()) == {"graded": 7, "grader_error": 1}
    assert status["zoe"] == "grader_error"
    staff = json.loads((course / "results" / "staff" / "zoe.json").read_text())["staff"]
    assert "ended two workers" in staff["fault"]


def test_grade_without_the_isolation_ends_at_once(course: Path) -> None:
    """No report is made when the machine cannot mark anybody."""
    hand_in(course, "ada", "fine")
    with pytest.raises(IsolationMissing):
        grade(course, isolation="process")
    assert not (course / "results" / "ada.json").exists()


def test_grade_again_marks_only_what_changed(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Unchanged submissions keep their reports; a changed one, or a damaged or missing report, is marked again."""
    for student in ("ada", "ben", "cleo", "dan"):
        hand_in(course, student, "fine")
    assert grade(course) == 0
    assert marked(course) == 4
    before = (course / "results" / "grades.csv").read_bytes()
    assert grade(course) == 0
    assert marked(course) == 0
    assert "4 of 4 were marked before" in capsys.readouterr().out
    assert (course / "results" / "grades.csv").read_bytes() == before
    hand_in(course, "ada", "partly")
    (course / "results" / "ben.json").write_text('{"score": 100')
    (course / "results" / "cleo.html").unlink()
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
    students = [handin.student for handin in handins(course / "submitted", course / "results")]
    assert len(students) == len(HOSTILE_NAMES) + 1
    assert [report(course, student)["student"] for student in students] == students
    assert sorted(path for path in course.iterdir() if path.name != "results") == before
    names = [row["student"] for row in rows(course)]
    assert len(set(names)) == len(students)
    assert not any(name.startswith(tuple("=+-@\t\r\n")) for name in names)
    assert "'=HYPERLINK" in "".join(names)
    assert "::set-output" not in capsys.readouterr().out
    index = (course / "results" / "index.html").read_text(encoding="utf-8")
    assert "<script>alert" not in index
    assert "\u202e" not in index


@pytest.mark.parametrize("name", [*HOSTILE_NAMES, "../../x", "/etc/passwd", ".", "..", "", "a\x00b", ".hidden"])
def test_file_name_stays_in_its_folder(name: str) -> None:
    """A file name is one plain component, not hidden, not a page of ours, and short enough for any file system."""
    safe = file_name(name)
    assert safe == Path(safe).name
    assert not set('/\\:*?"<>|\n\t\x00\x1b\u202e') & set(safe)
    assert safe[0] not in ".-"
    assert safe.lower() not in ("index", "staff")
    assert len(f"{safe}.json".encode()) <= 200


def test_file_name_differs_for_different_students_and_keeps_ordinary_ones() -> None:
    """No two students share a report, also where one is named like the other's encoding."""
    names = [*HOSTILE_NAMES, "%3DHYPERLINK", "=HYPERLINK", "%69ndex", "x" * 251, "é" * 121]
    assert len({file_name(name) for name in names}) == len(set(names))
    for name in ("ada", "Zoë Müller", "李雷", "s-1.2_x"):
        assert file_name(name) == name


def test_student_id_spells_out_bytes_that_are_no_text() -> None:
    """A folder from an old archive may have a name in no known encoding."""
    assert student_id(os.fsdecode(b"latin-\xff")) == "latin-\\xff"


def test_handins_finds_the_three_layouts(course: Path) -> None:
    """Folders in nbgrader's layout, plain folders and single notebooks; nothing hidden, no other file, no results."""
    submitted = course / "submitted"
    hand_in(course, "ada", "x")
    for path in ("ben/hw.ipynb", "cleo.ipynb", "dan/hw.ipynb", "dan.ipynb", ".git/x.ipynb", "notes.txt", "results/x"):
        (submitted / path).parent.mkdir(parents=True, exist_ok=True)
        (submitted / path).write_text("x")
    found = {handin.student: handin for handin in handins(submitted, leave_out=submitted / "results")}
    assert list(found) == ["ada", "ben", "cleo", "dan"]
    assert found["cleo"].notebook == submitted / "cleo.ipynb"
    assert found["dan"].notebook == submitted / "dan" / "hw.ipynb"
    assert [notice.code for notice in found["dan"].notices] == ["several_notebooks"]


def test_grade_warns_of_several_notebooks(course: Path) -> None:
    """The choice stands in the report."""
    hand_in(course, "ada", "fine").with_name("copy.ipynb").write_text("nothing")
    assert grade(course) == 0
    assert report(course, "ada")["score"] == 100.0
    assert [warning["code"] for warning in report(course, "ada")["warnings"]] == ["several_notebooks"]


def test_grade_refuses_a_place_that_cannot_hold_results(course: Path) -> None:
    """A file where the folder should be is said before anything is marked."""
    hand_in(course, "ada", "fine")
    (course / "results").write_text("a file")
    with pytest.raises(UsageError, match="cannot hold the results"):
        grade(course)
    assert marked(course) == 0


def test_grade_on_a_full_disk_ends_with_a_sentence(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A report that cannot be written ends the run; no half-written one is taken for a result."""
    hand_in(course, "ada", "fine")
    (course / "results").mkdir()
    (course / "results" / "ada.html").symlink_to("/dev/full")
    with pytest.raises(GraderFault, match="the disk is full"):
        grade(course)
    (course / "results" / "ada.html").unlink()
    marked(course)
    assert grade(course) == 0
    assert marked(course) == 1


def start(course: Path) -> subprocess.Popen[str]:
    """Start grading in a process group of its own, as a terminal would."""
    command = [sys.executable, "-m", "tests.fake_command", "grade", "--course", str(course), "--workers", "2"]
    return subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def until(condition: Any) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def processes_of(group: int) -> list[int]:
    """Return the processes of a session that are still alive."""
    alive = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == group and fields[0] != "Z":
                alive.append(int(entry.name))
    return alive


def busy_class(course: Path) -> Path:
    """Hand in one submission that is done at once and two that take long; return the first's report."""
    hand_in(course, "ada", "fine")
    hand_in(course, "ben", "wait")
    hand_in(course, "cleo", "wait")
    return course / "results" / "staff" / "ada.json"


def test_grade_interrupted_ends_cleanly_and_goes_on(course: Path) -> None:
    """Ctrl-C, which reaches the whole group: code 130, no trace, no process left, what is done stays."""
    done = busy_class(course)
    run = start(course)
    until(done.exists)
    os.killpg(run.pid, signal.SIGINT)
    out, err = run.communicate(timeout=30)
    assert (run.returncode, out) == (130, "")
    assert "Traceback" not in err
    assert "interrupted" in err
    until(lambda: not processes_of(run.pid))
    opened = {path.name.partition("-")[2] for path in (course / "lives").glob("opened-*")}
    assert opened == {path.name.partition("-")[2] for path in (course / "lives").glob("closed-*")}
    marked(course)
    for student in ("ben", "cleo"):
        hand_in(course, student, "fine")
    assert grade(course) == 0
    assert marked(course) == 2


def test_grade_killed_leaves_no_worker_and_goes_on(course: Path) -> None:
    """After SIGKILL to the main process its workers end by themselves, and a new run does the rest."""
    done = busy_class(course)
    run = start(course)
    until(done.exists)
    run.kill()
    run.communicate(timeout=30)
    until(lambda: not processes_of(run.pid))
    shutil.copy(course / "results" / "ada.json", course / "results" / ".0011223344556677.tmp")
    marked(course)
    for student in ("ben", "cleo"):
        hand_in(course, student, "fine")
    assert grade(course) == 0
    assert marked(course) == 2
    assert not list((course / "results").glob(".*"))
