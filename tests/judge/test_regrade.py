"""`--only TASK` marks a task again with what depends on it, and keeps the rest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from autograder.errors import UsageError
from autograder.grading import provenance
from autograder.grading.executors import Lent
from autograder.grading.stored_reports import read_report
from autograder.grading.worker import dismiss_judge
from autograder.judge.regrade import Regrade, with_kept
from autograder.report import SCHEMA, Report
from tests.fake_class import grade, marked, report, results_of
from tests.fake_judge import hand_in, small_course

STAFF = {"output": {}, "suspicions": []}


@pytest.fixture
def course(tmp_path: Path) -> Iterator[Path]:
    """Return a small course with two students marked in full."""
    folder = small_course(tmp_path / "course")
    (folder / "lives").mkdir()
    hand_in(folder, "ada", "fine")
    hand_in(folder, "ben", "broken")
    assert grade(folder) == 0
    marked(folder)
    yield folder
    dismiss_judge()


def again(course: Path, *only: str, force: bool = False) -> int:
    """Grade in this process, in which the checks may be others; return how often a submission was marked."""
    with ThreadPoolExecutor(1) as executor:
        assert grade(course, crew=Lent(executor, 1), only=only, force=force) == 0
    return marked(course)


def other_checks(monkeypatch: pytest.MonkeyPatch, *tasks: str) -> None:
    """Let the checks of these tasks be others than they were."""
    content = provenance._content
    names = [f"test_{task}.py" for task in tasks]
    monkeypatch.setattr(provenance, "_content", lambda path: content(path) + (b"#" if path.name in names else b""))


def forge(course: Path, student: str, schema: int = SCHEMA, **scores: float) -> None:
    """Store other scores than this marking gives, as an earlier one may have given; the report stays whole."""
    path, record_path = (results_of(course) / folder / f"{student}.json" for folder in (".", "staff"))
    value, record = json.loads(path.read_text()), json.loads(record_path.read_text())
    for task in value["tasks"]:
        if task["id"] in scores:
            check = task["checks"][0] | {"score": scores[task["id"]], "status": "wrong"}
            task.update(score=scores[task["id"]], checks=[check])
    value["schema"] = schema
    record.pop("exact")  # as in a report of before
    value["score"] = sum(task["score"] for task in value["tasks"] if not task["bonus"])
    path.write_text(json.dumps(value))
    record["report_sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    record_path.write_text(json.dumps(record))


def scores(course: Path, student: str = "ada") -> list[float]:
    """Return the scores of a stored report's tasks."""
    return [task["score"] for task in report(course, student)["tasks"]]


def test_only_marks_a_task_again_and_keeps_the_rest(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two tasks whose checks have changed the named one is marked; the other is when its turn comes."""
    forge(course, "ada", noisy_sample=30.0, ema_update=20.0)
    other_checks(monkeypatch, "noisy_sample", "ema_update")
    assert again(course, "ema_update") == 2
    assert scores(course) == [30.0, 40.0, 10.0]
    assert report(course, "ada")["score"] == 70.0
    assert again(course, "ema_update") == 0  # it goes on where it stopped
    again(course)
    assert scores(course) == [60.0, 40.0, 10.0]


def test_only_keeps_the_marks_of_a_report_of_schema_1(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A class that the version before has marked is marked again in a part as well, and stored as this one does."""
    forge(course, "ada", schema=1, noisy_sample=30.0)
    other_checks(monkeypatch, "ema_update")
    assert again(course, "ema_update") == 2
    assert scores(course) == [30.0, 40.0, 10.0]
    assert report(course, "ada")["schema"] == 2


def test_only_with_force_marks_again_what_has_not_changed(course: Path) -> None:
    """--force is for those who trust nothing."""
    forge(course, "ada", noisy_sample=30.0, ema_update=20.0)
    assert again(course, "ema_update", force=True) == 2
    assert scores(course) == [30.0, 40.0, 10.0]


def test_only_says_what_was_marked_again(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where nothing has changed nothing was, and `marked before and unchanged` is all there is to say."""
    again(course, "ema_update")
    said = capsys.readouterr().out
    assert "marked again, the rest kept" not in said
    assert "2 of 2 were marked before and are unchanged" in said
    again(course, "ema_update", force=True)
    assert "marked again, the rest kept: ema_update.\n" in capsys.readouterr().out


def test_only_marks_all_where_nothing_can_be_kept(course: Path) -> None:
    """A submission that is new, another one, or has no whole report is marked in every task."""
    forge(course, "ada", noisy_sample=30.0)
    hand_in(course, "ada", "fine again")
    hand_in(course, "cleo", "partly")
    again(course, "ema_update")
    assert scores(course) == [60.0, 40.0, 10.0]
    assert report(course, "cleo")["score"] == 66.666667


def test_a_decision_about_a_kept_task_does_not_make_its_checks_new(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A report that is written again for a decision is marked again all the same when its checks have changed."""
    forge(course, "ada", noisy_sample=30.0)
    other_checks(monkeypatch, "noisy_sample")
    rows = "when,by,student,task,points,reason\n2026-01-01,lee,ada,ema_update,7,a good idea\n"
    (course / "overrides.csv").write_text(rows)
    again(course, "ema_update")
    assert scores(course) == [30.0, 7.0, 10.0]
    again(course)
    assert scores(course) == [60.0, 7.0, 10.0]


def test_figures_of_kept_tasks_are_kept(course: Path) -> None:
    """In the tasks' order; of a task that is marked again, or drawn again with another, the new ones."""
    stored = read_report(results_of(course), "ada")
    assert stored is not None

    def drawn(**names: str) -> Report:
        return replace(stored, figures=[{"task": task, "name": name} for task, name in names.items()])

    old = drawn(consistency_training_pair="old", ema_update="old", noisy_sample="old")
    both = with_kept(Regrade(("ema_update",), old), replace(drawn(noisy_sample="new"), staff=STAFF))
    assert both.figures == [
        {"task": "noisy_sample", "name": "new"}, {"task": "consistency_training_pair", "name": "old"},
    ]  # fmt: skip


def test_only_names_the_tasks_that_there_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A misspelt task is wrong usage."""
    folder = small_course(tmp_path / "course")
    hand_in(folder, "ada", "fine")
    with pytest.raises(UsageError, match="no task 'ema'; there are noisy_sample, ema_update"):
        grade(folder, only=["ema"])
