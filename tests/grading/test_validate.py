"""`autograder validate`: what counts as a fault, the matrix, and a small proof by the real judge."""

from __future__ import annotations

import io
import re
import shutil
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from autograder.assignment import load_assignment
from autograder.errors import UsageError
from autograder.grading.recorded_answers import Record
from autograder.grading.validate import (
    BLANK,
    REFERENCE,
    Exhibit,
    Verdict,
    answered,
    faults_of,
    validate_command,
)
from autograder.render.matrix import print_matrix, to_matrix_page
from autograder.report import GRADED, GRADER_ERROR, CheckResult, Report, TaskResult
from autograder.verdict import Status
from tests.browser import DESK, needs_chromium, open_browser, open_page, violations
from tests.notebooks import COURSE, NAME, assignment, blank_notebook, cell, index

BANK = assignment().recorded
RECORD = Record(task="ema_update", name="odd", kind="wrong", why="w", answer="def ema_update(): ...", loses="all")


def check(
    earned: int, name: str = "values", status: Status = Status.WRONG, misconception: str | None = None
) -> CheckResult:
    """Return a check that holds or fails, one of two of a task."""
    status = Status.PASSED if earned else status
    return CheckResult(name, "Title.", Fraction(1, 2), status, Fraction(earned), "" if earned else "why", misconception)


def report(lost: dict[str, tuple[CheckResult, ...]] | None = None, status: str = GRADED, earned: int = 1) -> Report:
    """Return a report of three tasks that have all points but for these checks."""
    checks = {name: (check(earned), check(earned, "more")) for name in ("ema_update", "sample_quality", "noisy_sample")}
    tasks = tuple(TaskResult(name, name, 10.0, False, found) for name, found in (checks | (lost or {})).items())
    return Report("a", "s", status, "reason", tasks, "namespaces", 1.0, "f", "0", {})


def exhibit(**changes: Any) -> Exhibit:
    """Return an exhibit of a record."""
    return Exhibit("ema_update/odd", Record(**{**vars(RECORD), **changes}))


ALL = (check(0), check(0, "more"))
SOME = (check(1), check(0, "more"))


def test_reference_with_full_marks_has_no_fault() -> None:
    """Nor has a right answer."""
    assert list(faults_of(Exhibit(REFERENCE), report())) == []
    assert list(faults_of(exhibit(kind="right", loses=""), report())) == []


def test_right_answer_that_loses_a_point_is_a_fault() -> None:
    """The fault names task, check and message."""
    (fault,) = faults_of(exhibit(kind="right", loses=""), report({"noisy_sample": SOME}))
    assert fault == "lost 5 of 10 in noisy_sample (more: why)"


def test_blank_release_must_get_nothing() -> None:
    """Any point is a fault."""
    assert list(faults_of(Exhibit(BLANK), report(earned=0))) == []
    assert list(faults_of(Exhibit(BLANK), report({"ema_update": ALL})))


def test_wrong_answer_loses_its_own_points_and_no_others() -> None:
    """Passing is a fault, and so is losing elsewhere."""
    assert list(faults_of(exhibit(), report({"ema_update": ALL}))) == []
    assert list(faults_of(exhibit(), report())) == ["lost nothing in ema_update"]
    both = report({"ema_update": ALL, "noisy_sample": SOME})
    assert len(list(faults_of(exhibit(), both))) == 1


@pytest.mark.parametrize(
    ("changes", "checks", "says"),
    [
        ({}, SOME, "kept 5 in ema_update; its record says all is lost"),
        ({"loses": "some", "keeps": 8.0}, SOME, "its record says 8"),
        ({"loses": "some", "fails": ("values",)}, SOME, "failed more in ema_update; its record says values"),
        ({"status": "contract"}, ALL, "says wrong; its record says contract"),
        ({"misconception": "hard_copy"}, ALL, "recognises None; its record says hard_copy"),
    ],
)
def test_attack_must_come_off_as_its_record_says(changes: dict[str, Any], checks: Any, says: str) -> None:
    """Points, checks, status and misconception."""
    (fault,) = faults_of(exhibit(**changes), report({"ema_update": checks}))
    assert says in fault


def test_answer_that_only_quality_sees_loses_sample_quality_alone() -> None:
    """Its own task keeps all points."""
    record = exhibit(quality="sample_quality", loses="")
    assert list(faults_of(record, report({"sample_quality": SOME}))) == []
    assert list(faults_of(record, report())) == ["lost nothing in sample_quality"]
    assert len(list(faults_of(record, report({"sample_quality": SOME, "ema_update": SOME})))) == 1


def test_fault_of_the_grader_is_a_fault_whatever_was_expected() -> None:
    """No record expects it."""
    assert list(faults_of(exhibit(), report(status=GRADER_ERROR))) == ["grader_error: reason"]


def test_answered_puts_cells_ahead_of_all_answers_and_behind_them() -> None:
    """The record's answer replaces the reference's; the blank notebook stays blank."""
    blank = blank_notebook()
    before = [c.source for c in blank.cells]
    made = answered(blank, assignment(), Record(**{**vars(RECORD), "before": "one = 1", "after": "two = 2"}))
    assert cell(made, "ema_update").source == RECORD.answer
    assert "NotImplementedError" not in cell(made, "noisy_sample").source
    sources = [c.source for c in made.cells]
    assert sources.index("one = 1") < index(made, "noisy_sample")
    assert sources.index("two = 2") > index(made, "consistency_training_pair")
    assert [c.source for c in blank.cells] == before


def test_matrix_on_a_pipe_is_one_plain_line_a_submission() -> None:
    """However narrow the pipe says it is: a dot for full marks, points where some were lost."""
    out = Console(file=io.StringIO(), width=40)
    print_matrix(out, [], [("odd", report({"ema_update": SOME}), True)])
    assert out.file.getvalue().splitlines()[1].split() == ["odd", "5", "·", "·", "FAULT"]  # type: ignore[attr-defined]


def test_matrix_in_a_terminal_is_a_table() -> None:
    """The same, for eyes."""
    out = Console(file=io.StringIO(), width=120, force_terminal=True, color_system=None)
    print_matrix(out, [], [])
    assert "submission" in out.file.getvalue()  # type: ignore[attr-defined]


@needs_chromium
def test_matrix_as_a_page(tmp_path: Path) -> None:
    """Whoever looks at it finds every name and every number; an unmarked submission and an odd name are shown too."""
    unmarked = Report(
        "a", "s", GRADER_ERROR, "r", (TaskResult("t", "t", 1.0, False, ()),), "namespaces", 1.0, "f", "0", {}
    )
    rows = [(f"task/record {number}", report({"ema_update": SOME}), number == 3) for number in range(70)]
    page = tmp_path / "matrix.html"
    text = to_matrix_page(NAME, assignment().tasks[:3], [*rows, ("<b>broken", unmarked, True)])
    page.write_text(text, encoding="utf-8")
    with open_browser() as browser, open_page(browser, page, width=DESK) as shown:
        assert violations(shown) == []
        cells = [row.inner_text().split("\t") for row in shown.locator("tbody tr").all()]
    assert cells[3] == ["task/record 3", "5", "·", "·", "fault"]
    assert cells[4][-1] == ""
    assert cells[70] == ["<b>broken", "?", "fault"]


@pytest.mark.slow
@pytest.mark.bubblewrap
@pytest.mark.skipif(shutil.which("bwrap") is None, reason="needs bubblewrap")
def test_validate_command_marks_a_small_bank_for_real(tmp_path: Path, capsys: Any) -> None:
    """A right record, a wrong one, one that only quality sees, and a record that claims too much: one fault, exit 1."""
    shutil.copytree(COURSE / "release", tmp_path / "release")
    shutil.copytree(COURSE / "source", tmp_path / "source")
    names = ("noisy_sample/swapped_weights", "noisy_sample/first_calls_only", "ema_update/right_vector")
    for name in names:
        shutil.copytree(BANK / name, tmp_path / "tests" / "submissions" / NAME / name)
    liar = tmp_path / "tests" / "submissions" / NAME / "ema_update" / "liar"
    shutil.copytree(BANK / "ema_update" / "right_vector", liar)
    (liar / "expect.toml").write_text('kind = "wrong"\nwhy = "it is right"\nloses = "all"\n')
    assert validate_command(load_assignment(tmp_path), workers=2, page=tmp_path / "matrix.html") == 1
    lines = capsys.readouterr().out.splitlines()
    rows = {name: cells for name, *cells in (re.split(" {2,}", line) for line in lines)}
    assert rows[REFERENCE] == ["·"] * 8
    assert rows[BLANK] == ["0"] * 8
    assert rows["noisy_sample/swapped_weights"] == ["0"] + ["·"] * 7
    assert rows["noisy_sample/first_calls_only"] == ["·"] * 5 + ["0"] + ["·"] * 2
    assert rows["ema_update/right_vector"] == ["·"] * 8
    assert rows["ema_update/liar"] == ["·"] * 8 + ["FAULT"]
    assert [line for line in lines if line.startswith("fault")] == [
        "fault: ema_update/liar: lost nothing in ema_update"
    ]
    assert "noisy_sample/swapped_weights" in (tmp_path / "matrix.html").read_text()


def test_only_marks_the_records_that_attack_a_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """Beside the reference and the blank release; what only the quality sees belongs to the quality."""
    bank = [
        RECORD,
        replace(RECORD, task="noisy_sample"),
        replace(RECORD, name="subtle", quality="sample_quality", loses=""),
    ]
    marked: list[str] = []

    def judged(_: Any, exhibits: list[Exhibit], __: Any) -> list[Verdict]:
        marked[:] = [each.name for each in exhibits]
        return [Verdict(each, report()) for each in exhibits]

    monkeypatch.setattr("autograder.grading.validate.load_bank", lambda _: bank)
    monkeypatch.setattr("autograder.grading.validate._judged", judged)
    for only, names in (
        (["ema_update"], ["ema_update/odd"]),
        (["sample_quality"], ["ema_update/subtle"]),
        (["noisy_sample", "ema_update"], ["ema_update/odd", "noisy_sample/odd"]),
        (["consistency_training_pair"], []),
        ([], ["ema_update/odd", "noisy_sample/odd", "ema_update/subtle"]),
    ):
        assert validate_command(assignment(), only, tmp_path / "matrix.html") == 0
        assert marked == [REFERENCE, BLANK, *names]
        assert "holds no recorded answers" not in capsys.readouterr().out


def test_only_a_task_that_is_not_there_is_wrong_usage() -> None:
    """The sentence names those that there are."""
    with pytest.raises(UsageError, match=r"there is no task 'emma'; there are noisy_sample, .*ema_update"):
        validate_command(assignment(), ["emma"])
