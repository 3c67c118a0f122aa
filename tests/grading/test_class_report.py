"""The report on a class from what is stored: who is in it, what is stale, and `autograder report`."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from autograder.system.file_names import file_name
from tests.fake_class import HOSTILE_NAMES, grade, results_of, run
from tests.fake_judge import hand_in, small_course


@pytest.fixture(scope="module")
def graded_course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a course whose class of four was graded; one of them handed nothing in."""
    course = small_course(tmp_path_factory.mktemp("class") / "course")
    for student, text in (("ada", "fine"), ("ben", "partly"), ("cleo", "broken")):
        hand_in(course, student, text)
    (course / "roster.csv").write_text("id\nada\nben\ncleo\ndora\n")
    assert grade(course, workers=1, roster=course / "roster.csv") == 0
    return course


@pytest.fixture
def results(graded_course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the results of a copy of that course, which is stood in."""
    course = shutil.copytree(graded_course, tmp_path / "course")
    monkeypatch.chdir(course)
    return results_of(course)


def test_report_writes_what_grade_wrote(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same page from the same reports, and its path."""
    written = (results / "index.html").read_bytes()
    assert b"nothing handed in" in written
    (results / "index.html").unlink()
    assert run("report", results) == 0
    assert (results / "index.html").read_bytes() == written
    assert str(results / "index.html") in capsys.readouterr().out


def test_report_elsewhere_links_back(results: Path, tmp_path: Path) -> None:
    """A page in another folder leads to the reports all the same."""
    (tmp_path / "web").mkdir()
    assert run("report", "--out", tmp_path / "web" / "class.html") == 0
    page = (tmp_path / "web" / "class.html").read_text()
    assert 'href="../course/results/consistency-models/ada.html"' in page


def test_report_marks_what_is_stale(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A report that was marked by other checks is told of, and counted all the same."""
    path = results / "staff" / "ben.json"
    record = json.loads(path.read_text())
    record["how"]["noisy_sample"] = "of another version"
    path.write_text(json.dumps(record))
    assert run("report") == 0
    assert "1 of 4 reports were marked in another way than now" in capsys.readouterr().out
    page = (results / "index.html").read_text()
    assert "marked in another way than now (1)" in page
    assert "n = 2" in page


def test_report_leaves_out_who_left(results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A report of before the last grading, whose submission is gone, is counted apart; a file of rubbish too."""
    shutil.rmtree(tmp_path / "course" / "submitted" / "ben")
    assert grade(tmp_path / "course", workers=1) == 0
    (results / "cleo.json").write_text("{")
    capsys.readouterr()
    assert run("report") == 0
    assert f"Left out: 1 file in {results} that cannot be read" in capsys.readouterr().out
    page = (results / "index.html").read_text()
    assert "2 more reports are left over" in page
    assert "1 file in the folder could not be read" in page
    assert "ben.html" not in page
    assert "n = 1" in page
    for path in results.glob("*.json"):
        path.write_text("{")
    assert run("report") == 2
    assert "holds no report that can be read" in capsys.readouterr().err


def test_report_knows_reports_of_an_unfinished_grading(results: Path) -> None:
    """What is newer than the table of the class belongs to it, though the table does not name it yet."""
    table = results / "grades.csv"
    table.write_text("student\nada\n")
    before = table.stat().st_mtime_ns - 10**9
    os.utime(results / "ben.json", ns=(before, before))
    os.utime(results / "dora.json", ns=(before + 2 * 10**9, before + 2 * 10**9))
    os.utime(results / "cleo.json", ns=(before, before))
    assert run("report") == 0
    page = (results / "index.html").read_text()
    assert 'href="dora.html"' in page
    assert "2 more reports are left over" in page


def test_report_needs_no_course(results: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A job that has the results alone can publish them; what it cannot know it says."""
    shutil.move(results, tmp_path / "published")
    monkeypatch.chdir(tmp_path)
    assert run("report", "published") == 0
    assert "no course was found" in (tmp_path / "published" / "index.html").read_text()


def test_report_without_names_holds_none(results: Path) -> None:
    """`--anonymous` writes a page of its own, without a name, beside the other."""
    before = (results / "index.html").read_bytes()
    assert run("report", "--anonymous") == 0
    page = (results / "anonymous.html").read_text()
    assert not [name for name in ("ada", "ben", "cleo", "dora") if f">{name}<" in page or f"{name}." in page]
    assert (results / "index.html").read_bytes() == before


def test_no_student_has_the_pages_name() -> None:
    """A student called as one of the folder's own pages has a file of another name."""
    own = {"index", "anonymous", "staff"}
    assert not own & {file_name(name).lower() for name in (*HOSTILE_NAMES, *own, "Anonymous", "INDEX")}


@pytest.mark.parametrize("folder", ["missing", "empty"])
def test_report_of_no_results_is_wrong_usage(
    results: Path, folder: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A sentence and exit code 2."""
    (tmp_path / "empty").mkdir()
    assert run("report", tmp_path / folder) == 2
    assert "autograder grade" in capsys.readouterr().err


def test_report_starts_without_the_judge(results: Path) -> None:
    """Nothing of weight is loaded to write a page again."""
    before = "torch" in sys.modules
    assert run("report") == 0
    assert ("torch" in sys.modules) is before
