"""The commands, their exit codes, and what a person reads."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.fake_class import run, use_fake_judge
from tests.fake_judge import NAME, hand_in

ROOT = Path(__file__).parents[1]
COMMANDS = {
    "release", "lesson", "score", "grade", "compare", "report", "override", "extend", "publish", "canvas", "package",
    "validate", "calibrate", "doctor",
}  # fmt: skip


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a small course, stood in, whose judge is the fake one; faults are kept beside it."""
    return use_fake_judge(monkeypatch, tmp_path)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["score", "missing.ipynb"], "there is no file missing.ipynb"),
        (["score", "."], "is a folder"),
        (["score", "a.ipynb", "--json", "no/r.json"], "cannot be written"),
        (["score", "a.ipynb", "--json", "."], "it is a folder"),
        (["score", "a.ipynb", "--json", "a.ipynb"], "is the submission itself"),
        (["score", "a.ipynb", "--json", "-", "--junit", "-"], "two reports cannot both be written to -"),
        (["score", "a.ipynb", "--json", "r", "--html", "./r"], "two reports cannot both be written to r"),
        (["score", "a.ipynb", "--json", "r", "--html", "empty/../r"], "two reports cannot both be written to r"),
        (["score", "a.ipynb", "--course", "missing"], "missing is no folder; --course takes the folder"),
        (["release", "--check", "--course", "missing"], "missing is no folder"),
        (["package", "student", "--course", "missing"], "missing is no folder"),
        (["grade", "missing"], "not a folder of submissions"),
        (["grade", "empty"], "holds no submissions"),
        (["score", "::error::\x1b[31m\u202e.ipynb"], "there is no file : :error: :\ufffd.ipynb"),
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
        ["score", "a.ipynb", "--student", ""],
        ["grade", "--gradebook", ""],
        ["extend", "", "2h"],
        ["extend", "ada", "2h", "--gradebook", ""],
        ["grade", "--workers", "0"],
        ["grade", "--workers", "²"],
        ["extend", "ada", "99999999999d"],
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


def test_an_unexpected_fault_exits_4_and_is_kept_for_staff(
    course: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A defect of ours shows one sentence and where the trace-back is; --debug shows it."""

    def fail(*_: object) -> None:
        raise ZeroDivisionError("in our own code")

    monkeypatch.setattr("autograder.assignment.load", fail)
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

    monkeypatch.setattr("autograder.assignment.load", interrupt)
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


def test_every_command_of_the_contract_is_offered(capsys: pytest.CaptureFixture[str]) -> None:
    """A command whose module has moved is missed here; `--help` of each answers."""
    with pytest.raises(SystemExit):
        run("--help")
    offered = set(re.findall(r"^    (\w+)", capsys.readouterr().out, re.MULTILINE))
    assert offered >= COMMANDS
    for name in COMMANDS:
        with pytest.raises(SystemExit) as caught:
            run(name, "--help")
        assert caught.value.code == 0


@pytest.mark.parametrize(
    ("name", "place", "options", "how"),
    [
        ("validate", "grading.validate", [], [[]]),
        ("validate", "grading.validate", ["--only", "a", "--only", "b"], [["a", "b"]]),
        ("calibrate", "assignments.consistency_models.calibrate", [], []),
        ("doctor", "commands.diagnosis", [], []),
    ],
)
def test_a_command_on_the_course_calls_its_module(
    course: Path, monkeypatch: pytest.MonkeyPatch, name: str, place: str, options: list[str], how: list[Any]
) -> None:
    """With the course and the options, and its exit code is the command's."""
    asked: list[Any] = []
    monkeypatch.setattr(f"autograder.{place}.{name}_command", lambda *given: asked.extend(given) or 5)
    assert run(name, "--course", course, *options) == 5
    assert [getattr(asked[0], "course", asked[0]), *asked[1:]] == [course, *how]


def test_calibrate_of_an_assignment_without_a_calibration_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What an assignment does not have is found missing by its name, not by an import that fails."""
    monkeypatch.setattr("autograder.assignment.assignment_module", lambda name, part: None)
    assert run("calibrate", "--course", str(ROOT)) == 2
    assert "has nothing to calibrate" in capsys.readouterr().err


def test_python_m_imports_nothing_from_the_working_folder(tmp_path: Path) -> None:
    """It may hold submissions: a module of a student's, called like one that the command imports, is left alone."""
    trace = tmp_path / "trace"
    (tmp_path / "argparse.py").write_text(f"open({str(trace)!r}, 'w').close()\n")
    done = subprocess.run(
        [sys.executable, "-m", "autograder", "--version"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.startswith("autograder ")
    assert not trace.exists()


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


def test_a_course_of_several_assignments_asks_which(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--assignment says it, or the path; else a sentence has the names."""
    other = course / "source" / "homework" / "homework.ipynb"
    other.parent.mkdir()
    shutil.copy(course / "source" / NAME / f"{NAME}.ipynb", other)
    decision = ("override", "ada", "ema_update", "1", "--reason", "So.")
    assert run(*decision) == 2
    assert f"several assignments: {NAME}, homework" in capsys.readouterr().err
    assert run(*decision, "--assignment", "homwork") == 2
    assert f"the course has {NAME}, homework" in capsys.readouterr().err
    assert run(*decision, "--assignment", "homework") == 0
    assert run("score", hand_in(course, "ada", "fine")) == 0
