"""`autograder compare` says whose marks changed, by how much and why."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fake_class import grade, name_the_class, results_of, run, use_fake_judge
from tests.fake_judge import hand_in, small_course


@pytest.fixture(scope="module")
def marked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the results of a class of three."""
    course = small_course(tmp_path_factory.mktemp("compare") / "course")
    for student, text in (("ada", "fine"), ("ben", "partly"), ("cleo", "broken")):
        hand_in(course, student, text)
    assert grade(course) == 0
    return results_of(course)


@pytest.fixture
def compare(
    marked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """Return a function that changes a copy of the results and returns what `compare` prints."""
    use_fake_judge(monkeypatch, tmp_path)
    monkeypatch.setenv("COLUMNS", "160")

    def compared(change: Callable[[dict[str, Any], dict[str, Any]], None], student: str = "ada") -> str:
        new = shutil.copytree(marked, tmp_path / "new")
        paths = [new / f"{student}.json", new / "staff" / f"{student}.json"]
        report, record = (json.loads(path.read_text()) for path in paths)
        change(report, record)
        del record["exact"]  # as it was before fractions were stored
        paths[0].write_text(json.dumps(report))
        record["report_sha256"] = hashlib.sha256(paths[0].read_bytes()).hexdigest()
        for path, value in zip(paths, (report, record), strict=True):
            path.write_text(json.dumps(value))
        assert run("compare", marked, new) == 0
        return capsys.readouterr().out

    return compared


def lose(report: dict[str, Any], points: float, **check: Any) -> None:
    """Let the first task lose points."""
    task = report["tasks"][0]
    task["score"] -= points
    task["checks"][0] |= {"score": task["score"], "status": "wrong"} | check
    report["score"] -= points


def test_compare_says_what_a_check_made_of_it(compare: Callable[..., str]) -> None:
    """A changed verdict stands with its task's points, and what else was marked otherwise."""

    def change(report: dict[str, Any], record: dict[str, Any]) -> None:
        lose(report, 15.0)
        record["how"]["noisy_sample"] = "another"

    shown = compare(change)
    assert "noisy_sample 60 of 60 → 45 of 60: values holds → wrong value" in shown
    assert "other checks of noisy_sample" in shown
    assert "100 + 10   85 + 10" in shown
    assert "-15" in shown
    assert "1 of 3 marks differ, 1 lower." in shown
    assert "ben" not in shown


def test_compare_says_what_changed_for_the_whole_report(compare: Callable[..., str]) -> None:
    """Another file, other libraries and other code are told."""

    def change(report: dict[str, Any], record: dict[str, Any]) -> None:
        lose(report, 60.0)
        report["submission"]["sha256"] = "0" * 64
        report["versions"]["autograder"] = "1"
        record["how"] = dict.fromkeys(record["how"], "another")

    shown = compare(change)
    assert "another file was handed in" in shown
    assert "other code, settings or libraries" in shown
    assert "autograder 0 → 1" in shown


def test_compare_tells_a_decision_of_a_person(compare: Callable[..., str]) -> None:
    """The reason is the one that was given."""

    def change(report: dict[str, Any], record: dict[str, Any]) -> None:
        report["tasks"][0] |= {"score": 50.0, "override": {"score": 50.0, "reason": "copied from Ben"}}
        report["score"] = 90.0

    assert "decided by a person: copied from Ben" in compare(change)


def test_compare_tells_who_was_unreadable(compare: Callable[..., str]) -> None:
    """A report that could not be made is told with its reason."""

    def change(report: dict[str, Any], record: dict[str, Any]) -> None:
        report |= {"status": "grader_error", "reason": "The grader failed.", "score": None}
        for task in report["tasks"]:
            task |= {"checks": [], "score": 0.0}
        report["bonus"] = 0.0

    shown = compare(change)
    assert "is grader error: The grader failed." in shown
    assert "1 of 3 marks differ, 1 without a score before or now." in shown


def test_compare_tells_who_came_and_went(
    compare: Callable[..., str], marked: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A student with one report only is a difference; a file that is there and broken is said to be that."""
    assert "1 cannot be read in the new results" in (told := compare(lambda report, _: report.clear(), "cleo"))
    assert "only in" not in told
    assert "new/cleo.json cannot be read" in "".join(told.split("\n")).replace("  ", "")
    (tmp_path / "new" / "cleo.json").unlink()
    assert run("compare", marked, tmp_path / "new") == 0
    assert "1 only in the old results" in capsys.readouterr().out
    for folder in ("new", "other"):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / "cleo.json").write_text("{")
    assert run("compare", tmp_path / "new", tmp_path / "other") == 0
    assert "1 cannot be read in the old and the new results" in capsys.readouterr().out


def test_compare_of_equals_and_of_nothing(compare: Callable[..., str], marked: Path, tmp_path: Path) -> None:
    """No difference is said; a folder without reports is wrong usage."""
    assert compare(lambda report, record: None).strip() == "0 of 3 marks differ."
    (tmp_path / "empty").mkdir()
    assert run("compare", marked, tmp_path / "empty") == 2
    assert run("compare", tmp_path / "none", marked) == 2


def test_compare_leaves_out_who_left_the_class(
    marked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A report of before the last grading, whose submission is gone, is not there; nor is one gone from both."""
    use_fake_judge(monkeypatch, tmp_path)
    new = shutil.copytree(marked, tmp_path / "new")
    name_the_class(new, "ada", "cleo")
    assert run("compare", marked, new) == 0
    assert "1 of 3 marks differ, 1 only in the old results." in capsys.readouterr().out
    assert run("compare", new, new) == 0
    assert "0 of 2 marks differ." in capsys.readouterr().out
