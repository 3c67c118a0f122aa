"""A place that cannot be written to is wrong usage: exit 2 and one sentence that names it."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder import cli
from tests.sample_reports import graded

COURSE = Path(__file__).parents[2]
PROC = Path("/proc/none")  # where nobody can make anything, root neither


def refused(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    """Run a command that must be refused; return the sentence."""
    assert cli.main([str(argument) for argument in arguments]) == 2
    told = capsys.readouterr().err
    assert told.startswith("autograder: ")
    assert told.count("\n") == 1
    assert "fault of the grader" not in told
    return told


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a file, which stands where a folder is needed."""
    path = tmp_path / "README.md"
    path.write_text("Mine.")
    return path


@pytest.mark.parametrize("below", ["", "x.zip", "deep/x.zip"])
@pytest.mark.parametrize("what", ["student", "course", "repository", "gradescope"])
def test_a_package_into_a_file_is_refused(
    file: Path, what: str, below: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file is no folder, whether it is named itself or as one above; what is in it stays."""
    below = below or ("x" if what == "gradescope" else "")  # the zip is a file, and replaces one
    out = ("--out", file / below) if what in ("student", "gradescope") else (file / below,)
    assert "README.md" in refused(capsys, "package", what, *out, "--course", COURSE)
    assert file.read_text() == "Mine."


@pytest.mark.parametrize("what", ["student", "course", "repository", "gradescope"])
def test_a_package_where_nothing_can_be_made_is_refused(what: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The sentence is the system's, and says where."""
    out = ("--out", PROC / "x") if what in ("student", "gradescope") else (PROC / "x",)
    assert f"{PROC}" in refused(capsys, "package", what, *out, "--course", COURSE)


@pytest.mark.parametrize(("form", "variable"), [("github", "GITHUB_STEP_SUMMARY"), ("classroom", "GITHUB_OUTPUT")])
def test_a_file_of_the_ci_system_that_is_not_there_is_refused(
    form: str, variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the variable names may lie in a folder that is missing."""
    report = tmp_path / "ada.json"
    report.write_text(graded("ada").to_json())
    monkeypatch.setenv(variable, str(tmp_path / "missing" / "z"))
    assert "missing/z cannot be written" in refused(capsys, "publish", form, report)


@pytest.mark.parametrize(
    "command",
    [
        ("publish", "junit", "r/ada.json", "--out", "r/ada.json"),
        ("publish", "junit", "r/ada.json", "--out", "r/ben.json"),
        ("publish", "github", "r", "--out", "r/grades.csv"),
        ("publish", "prairielearn", "alone.json", "--out", "alone.json"),
        ("report", "r", "--out", "r/ada.json"),
        ("report", "r", "--out", "r/staff/ada.json"),
        ("canvas", "e.csv", "r", "--column", "Essay", "--out", "e.csv"),
        ("canvas", "e.csv", "r", "--column", "Essay", "--out", "link.csv"),
        ("canvas", "e.csv", "r", "--column", "Essay", "--out", "r/ada.json"),
        ("score", "hw.ipynb", "--json", "hw.ipynb", "--course", str(COURSE)),
    ],
)
def test_what_is_read_is_never_replaced(
    command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A slip in --out loses no stored report, no export and no submission."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "r" / "staff").mkdir(parents=True)
    for name in ("r/ada.json", "r/ben.json", "alone.json"):
        Path(name).write_text(graded(Path(name).stem).to_json())
    for name in ("r/staff/.lock", "r/staff/ada.json", "r/grades.csv", "hw.ipynb"):
        Path(name).write_text("{}")
    Path("e.csv").write_text("Student,ID,Section,Essay\nAda,1,S,\n")
    Path("link.csv").symlink_to("e.csv")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert "; write to another file" in refused(capsys, *command)
    assert before == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
