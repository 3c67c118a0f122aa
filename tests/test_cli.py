"""The commands, their exit codes, and what a person reads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import types
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from autograder import cli
from tests.fake_judge import FakeJudge, hand_in, small_course

ROOT = Path(__file__).parents[1]


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a small course, stood in, whose judge is the fake one; faults are kept inside it."""
    judge = types.ModuleType("autograder.judge")
    judge.Judge = FakeJudge  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "autograder.judge", judge)
    folder = small_course(tmp_path / "course")
    monkeypatch.chdir(folder)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.delenv("AUTOGRADER_DEBUG", raising=False)
    return folder


def run(*arguments: str | Path) -> int:
    """Run the command in this process."""
    return cli.main([str(argument) for argument in arguments])


def test_score_writes_every_form_and_the_table(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One run, four files, a table, exit code 0 whatever the score."""
    notebook = hand_in(course, "ada", "partly")
    code = run("score", notebook, "--json", "r.json", "--junit", "r.xml", "--html", "r.html", "--gradescope", "g.json")
    assert code == 0
    report = json.loads(Path("r.json").read_text())
    assert (report["student"], report["status"], report["score"]) == ("ada", "graded", 66.666667)
    assert ElementTree.parse("r.xml").getroot().tag == "testsuites"
    assert "<title>ada: consistency-models</title>" in Path("r.html").read_text()
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
    ("arguments", "says"),
    [
        (["score", "missing.ipynb"], "there is no file missing.ipynb"),
        (["score", "."], "is a folder"),
        (["score", "a.ipynb", "--json", "no/r.json"], "cannot be written"),
        (["score", "a.ipynb", "--json", "."], "it is a folder"),
        (["score", "a.ipynb", "--json", "a.ipynb"], "is the submission itself"),
        (["score", "a.ipynb", "--json", "-", "--junit", "-"], "two reports cannot both be written to -"),
        (["score", "a.ipynb", "--course", "missing"], "no source notebook at missing"),
        (["grade", "missing"], "not a folder of submissions"),
        (["grade", "empty"], "holds no submissions"),
    ],
)
def test_wrong_usage_exits_2_with_one_sentence(
    course: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    """What was asked for cannot be done as asked; the sentence says why, and nothing was marked."""
    Path("a.ipynb").write_text("fine")
    Path("empty").mkdir()
    assert run(*arguments) == 2
    shown = capsys.readouterr()
    assert says in shown.err
    assert shown.err.count("\n") == 1
    assert shown.out == ""
    assert Path("a.ipynb").read_text() == "fine"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["unknown"],
        ["score"],
        ["score", "a.ipynb", "--fail-under", "nan"],
        ["score", "a.ipynb", "--fail-under", "101"],
        ["score", "a.ipynb", "--isolation", "none"],
        ["grade", "--workers", "0"],
        ["grade", "--workers", "²"],
    ],
)
def test_wrong_options_exit_2(course: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    """argparse says what it expected."""
    with pytest.raises(SystemExit) as caught:
        run(*arguments)
    assert caught.value.code == 2
    assert "usage: autograder" in capsys.readouterr().err


def test_unknown_setting_exits_2(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A misspelt key of autograder.toml is an error, not a default."""
    Path("autograder.toml").write_text("cal_seconds = 3\n")
    assert run("score", hand_in(course, "ada", "fine")) == 2
    assert "unknown key 'cal_seconds'" in capsys.readouterr().err


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


def test_an_unexpected_fault_exits_4_and_is_kept_for_staff(
    course: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A defect of ours shows one sentence and where the trace-back is; --debug shows it."""

    def fail(*_: object) -> None:
        raise ZeroDivisionError("in our own code")

    monkeypatch.setattr("autograder.assignment.load_assignment", fail)
    assert run("score", hand_in(course, "ada", "fine")) == 4
    shown = capsys.readouterr()
    assert "Traceback" not in shown.err
    (kept,) = tmp_path.glob("autograder-fault-*")
    assert str(kept) in shown.err
    assert "in our own code" in kept.read_text()
    assert run("score", hand_in(course, "ada", "fine"), "--debug") == 4
    assert "Traceback" in capsys.readouterr().err


def test_an_interrupt_exits_130_without_a_trace(
    course: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C is no fault."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("autograder.assignment.load_assignment", interrupt)
    assert run("score", hand_in(course, "ada", "fine")) == 130
    assert "Traceback" not in capsys.readouterr().err


def test_help_answers_at_once_and_names_what_there_is() -> None:
    """`--help` imports neither torch nor nbformat, and every command that it offers exists."""
    program = (
        "import sys; from autograder import cli\n"
        "try: cli.main(['--help'])\n"
        "finally: print([name for name in ('torch', 'nbformat', 'rich', 'jinja2') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.rstrip().endswith("[]")
    assert "score" in done.stdout
    assert "grade" in done.stdout


@pytest.mark.parametrize("name", ["validate", "calibrate", "doctor"])
def test_a_command_on_the_course_is_offered_when_it_is_there(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`--help` offers a command exactly when its module has the function that does it."""
    with pytest.raises(SystemExit):
        run("--help")
    offered = f"    {name} " in capsys.readouterr().out
    there = find_spec(f"autograder.{name}") is not None
    assert offered == there
    if there:
        assert callable(getattr(import_module(f"autograder.{name}"), f"{name}_command"))


def in_process(*arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run the command with the fake judge in a process of its own."""
    command = [sys.executable, "-m", "tests.fake_command", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, timeout=60, **options)


@pytest.mark.parametrize("form", [(), ("--json", "-")])
def test_a_closed_pipe_changes_no_exit_code(course: Path, form: tuple[str, ...]) -> None:
    """`autograder score x | head -c0` ends quietly, and says what it would have said."""
    read, write = os.pipe()
    os.close(read)
    done = in_process("score", hand_in(course, "ada", "broken"), "--course", course, *form, stdout=write)
    os.close(write)
    assert done.returncode == 3
    assert "Traceback" not in done.stderr


def test_a_terminal_that_knows_no_unicode_is_no_fault(course: Path) -> None:
    """A name with letters that the terminal cannot show is shown with question marks."""
    notebook = hand_in(course, "ada", "fine")
    ascii_only = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = in_process(
        "score", notebook, "--course", course, "--student", "Zoë😀", env=ascii_only, stdout=subprocess.PIPE
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "Zo?" in done.stdout
