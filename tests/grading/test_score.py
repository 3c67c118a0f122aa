"""One notebook: its reports, its exit code, whose it is, and which course it belongs to."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.fake_class import run, use_fake_judge
from tests.fake_judge import hand_in, small_course


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a small course, stood in, whose judge is the fake one; faults are kept beside it."""
    return use_fake_judge(monkeypatch, tmp_path)


def test_score_writes_every_form_and_the_table(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One run, a file a form, a table, exit code 0 whatever the score."""
    notebook = hand_in(course, "ada", "partly")
    files = {"json": "r.json", "junit": "r.xml", "html": "r.html", "markdown": "r.md", "gradescope": "g.json"}
    assert run("score", notebook, *(part for form, file in files.items() for part in (f"--{form}", file))) == 0
    report = json.loads(Path("r.json").read_text())
    assert (report["student"], report["status"], report["score"]) == ("ada", "graded", 66.666667)
    assert ElementTree.parse("r.xml").getroot().tag == "testsuites"
    assert "<title>ada: consistency-models</title>" in Path("r.html").read_text()
    assert "**66.67 of 100 points**" in Path("r.md").read_text()
    assert json.loads(Path("g.json").read_text())["score"] == pytest.approx(66.66667 + 6.66667)
    assert "66.67 / 100" in capsys.readouterr().out


def test_score_json_to_stdout_is_json_alone(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--json -` can be piped on; the table goes to stderr."""
    assert run("score", hand_in(course, "ada", "fine"), "--json", "-") == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)["score"] == 100.0
    assert "100 / 100" in shown.err


@pytest.mark.parametrize(("percent", "code"), [("66.6", 0), ("66.7", 1), ("0", 0), ("100", 1)])
def test_score_fail_under_leaves_the_bonus_out(course: Path, percent: str, code: int) -> None:
    """The exit code says whether the score without its bonus reaches the percentage."""
    assert run("score", hand_in(course, "ada", "partly"), "--fail-under", percent) == code


def test_score_of_an_unreadable_file_writes_reports_and_exits_3(
    course: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Score 0 and the reason stand in every form, and no trace-back is shown."""
    code = run("score", hand_in(course, "ada", "broken"), "--json", "r.json", "--junit", "r.xml", "--fail-under", "50")
    assert code == 3
    report = json.loads(Path("r.json").read_text())
    assert (report["status"], report["score"], report["max_score"]) == ("unreadable", 0.0, 100.0)
    assert "byte 7" in report["reason"]
    assert len(report["submission"]["sha256"]) == 64
    assert "byte 7" in Path("r.xml").read_text()
    shown = capsys.readouterr()
    assert "byte 7" in shown.out
    assert "Traceback" not in shown.out + shown.err


@pytest.mark.parametrize("text", ["fault", "odd"])
def test_score_after_our_own_fault_exits_4_without_a_score(
    course: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    """The student's report holds no path and no trace; staff are told where these are."""
    assert run("score", hand_in(course, "ada", text), "--json", "r.json") == 4
    report = Path("r.json").read_text()
    assert json.loads(report)["score"] is None
    assert json.loads(report)["status"] == "grader_error"
    assert "secret" not in report
    shown = capsys.readouterr()
    assert "Traceback" not in shown.out + shown.err
    (kept,) = tmp_path.glob("autograder-fault-*")
    assert str(kept) in shown.err
    assert "/course/secret" in kept.read_text()
    assert kept.stat().st_mode & 0o077 == 0


def test_score_without_the_isolation_exits_5(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No report is made, and the sentence says what to do."""
    assert run("score", hand_in(course, "ada", "fine"), "--isolation", "process", "--json", "r.json") == 5
    assert not Path("r.json").exists()
    assert capsys.readouterr().err == "autograder: no such isolation here; see `autograder doctor`\n"


@pytest.mark.parametrize(
    ("path", "student"),
    [
        ("submitted/ada/consistency-models/hw (1).ipynb", "ada"),
        ("handed/ada/consistency-models/hw.ipynb", "hw"),
        ("release/consistency-models/consistency-models.ipynb", "consistency-models"),
        ("hw-of-ada.ipynb", "hw-of-ada"),
    ],
)
def test_score_takes_the_student_from_the_path(course: Path, path: str, student: str) -> None:
    """nbgrader's folder names the student, else the file does; --student beats both."""
    notebook = course / path
    notebook.parent.mkdir(parents=True, exist_ok=True)
    notebook.write_text("fine")
    assert run("score", notebook, "--json", "r.json") == 0
    assert json.loads(Path("r.json").read_text())["student"] == student
    assert run("score", notebook, "--json", "r.json", "--student", "eve\n😀") == 0
    assert json.loads(Path("r.json").read_text())["student"] == "eve\n😀"


def test_score_finds_the_course_above_the_submission(
    course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a folder that is no course, the one whose submitted/ holds the notebook is taken."""
    notebook = hand_in(course, "ada", "fine")
    monkeypatch.chdir(tmp_path)
    assert run("score", notebook) == 0
    loose = tmp_path / "hw.ipynb"
    loose.write_text("fine")
    assert run("score", loose) == 2
    assert run("score", loose, "--course", course) == 0


def test_a_submission_never_defines_the_course(
    course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A student's own nbgrader_config.py and source/ beside the notebook are not taken for the assignment."""
    notebook = hand_in(course, "eve", "nothing")
    small_course(notebook.parent)
    for folder in (course, tmp_path):
        monkeypatch.chdir(folder)
        forged = notebook.parent / "source" / "consistency-models" / "consistency-models.ipynb"
        forged.write_text("not even a notebook")
        assert run("score", notebook) == 0
    monkeypatch.chdir(tmp_path)
    alone = small_course(tmp_path / "eve") / "hw.ipynb"
    alone.write_text("fine")
    assert run("score", alone) == 2
    assert "--course" in capsys.readouterr().err
