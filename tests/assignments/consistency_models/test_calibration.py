"""What is committed beside the checks: it belongs to the source notebook, or the grader says that it does not."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
import torch

from autograder.assignment import Assignment
from autograder.assignments.consistency_models.training import calibration
from autograder.assignments.consistency_models.training.calibration import (
    LIMITS,
    WEIGHTS,
    Calibration,
    Limits,
    load_calibration,
    save_limits,
    save_weights,
)
from autograder.errors import GraderFault
from tests.notebooks import assignment
from tests.trainings import short_reference


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder that stands for the one beside the checks."""
    monkeypatch.setattr(calibration, "WEIGHTS", tmp_path / WEIGHTS.name)
    monkeypatch.setattr(calibration, "LIMITS", tmp_path / LIMITS.name)
    return tmp_path


def save(folder: Path, of: Assignment) -> Calibration:
    """Write a small calibration and return it."""
    made = short_reference().calibration
    save_weights(of, made, folder / WEIGHTS.name)
    save_limits(Limits(1.5, 1.25), {"seeds": 3}, folder / LIMITS.name)
    return made


def test_committed_calibration_belongs_to_the_source_notebook() -> None:
    """A changed prelude needs `autograder calibrate`, or nobody can be marked."""
    committed = load_calibration(assignment())
    record = json.loads(LIMITS.read_text(encoding="utf-8"))
    assert record["prelude_sha256"] == assignment().prelude_sha256
    assert record["seeds"] >= 20
    assert committed.noise.shape == committed.endpoints.shape == (1000, 2)
    assert all(1.0 < limit < 2.0 for limit in (committed.limits.mean, committed.limits.tail))


def test_committed_limits_leave_a_margin_on_both_sides() -> None:
    """Each limit is beyond every right run and below every wrong answer that it tells; each one is told by one."""
    record = json.loads(LIMITS.read_text(encoding="utf-8"))
    missed = {name for name, row in record["runs"].items() if row["kind"] == "wrong"}
    for statistic, limit in record["limits"].items():
        right = max(max(row[statistic]) for row in record["runs"].values() if row["kind"] == "right")
        nearest = record["margins"][statistic]["nearest_wrong"]
        assert right * 1.04 < limit < min(nearest.values()) / 1.04
        missed -= nearest.keys()
    assert missed == set()


def test_committed_agreement_is_far_from_right_and_wrong_answers() -> None:
    """Right answers are ten times nearer to the reference's than the limit, wrong ones ten times further."""
    record = json.loads(LIMITS.read_text(encoding="utf-8"))
    for name, row in record["runs"].items():
        if row["kind"] == "right" and name != "rounding":
            assert row["deviation"] * 10 <= record["agreement"], name
        if row["kind"] == "wrong":
            assert row["deviation"] >= record["agreement"] * 10, name


def test_load_returns_what_was_saved(folder: Path) -> None:
    """Weights, noise, endpoints, data and limits come back to the bit."""
    made, loaded = save(folder, assignment()), load_calibration(assignment())
    assert loaded.limits == Limits(1.5, 1.25)
    assert made.teacher.keys() == loaded.teacher.keys()
    assert all(torch.equal(value, loaded.teacher[name]) for name, value in made.teacher.items())
    assert all(torch.equal(getattr(made, name), getattr(loaded, name)) for name in ("noise", "endpoints", "data"))


def test_load_refuses_the_calibration_of_another_prelude(folder: Path) -> None:
    """It is the grader's fault, and the message says what to do."""
    save(folder, assignment())
    cell = dataclasses.replace(assignment().prelude[0], source="changed = True")
    with pytest.raises(GraderFault, match="autograder calibrate"):
        load_calibration(dataclasses.replace(assignment(), cells=(cell,)))


def test_load_refuses_a_missing_or_broken_calibration(folder: Path) -> None:
    """No calibration, or half a file, is the grader's fault too."""
    with pytest.raises(GraderFault, match="lacks a calibration"):
        load_calibration(assignment())
    save(folder, assignment())
    (folder / LIMITS.name).write_text("{", encoding="utf-8")
    with pytest.raises(GraderFault, match="lacks a calibration"):
        load_calibration(assignment())


def test_weights_hold_no_pickles(folder: Path) -> None:
    """The committed arrays load with allow_pickle=False, as the judge loads them."""
    save(folder, assignment())
    assert load_calibration(assignment()).data.dtype is torch.float32
