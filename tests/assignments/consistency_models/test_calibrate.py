"""`autograder calibrate`: where limits are put, when it refuses, what it writes; and one real, short measurement."""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from autograder.assignments.consistency_models import calibrate
from autograder.assignments.consistency_models.calibrate import (
    Calibrating,
    calibrate_command,
    place_limits,
    summary,
)
from autograder.assignments.consistency_models.training import spread
from autograder.assignments.consistency_models.training.following import AGREEMENT
from autograder.assignments.consistency_models.training.functions import FUNCTIONS
from autograder.assignments.consistency_models.training.spread import (
    ROUNDS,
    Measured,
    Noisy,
    Subject,
    due,
    measure,
    subjects,
)
from autograder.errors import FaultFound
from tests.bank import load_bank
from tests.notebooks import assignment
from tests.trainings import SHORT, short_reference


def run(kind: str, mean: float, **more: Any) -> Measured:
    """Return a run of a kind; wrong ones are far in all else unless said."""
    far = 1.0 if kind == "right" else 4.0
    fields = {"tail": far, "sliced": far, "deviation": 1e-7 if kind == "right" else 1.0, "subject": kind} | more
    return Measured(kind=kind, seed=0, mean=mean, **fields)


def test_limits_stand_in_the_middle_of_the_gap() -> None:
    """On a logarithmic scale, between the furthest right run and the nearest wrong one."""
    runs = [run("right", 1.0), run("right", 1.25), run("wrong", 5.0), run("wrong", 9.0)]
    limits = place_limits(runs)
    assert limits.mean == pytest.approx(2.5)
    assert limits.tail == pytest.approx(2.0)


def test_wrong_answer_that_trains_well_sets_no_limit() -> None:
    """Distance cannot tell it; agreement must, and the summary counts it."""
    runs = [run("right", 1.25), run("wrong", 5.0), run("wrong", 1.0, subject="hidden", tail=1.0)]
    limits = place_limits(runs)
    assert limits.mean == pytest.approx(2.5)
    assert "tells 1 of 2 wrong answers" in summary(runs, limits)[0]


def test_compared_answers_set_no_limit() -> None:
    """What fails its own checks never reaches this check."""
    runs = [run("right", 1.25), run("wrong", 5.0), run("compared", 1.3)]
    assert place_limits(runs).mean == pytest.approx(2.5)


@pytest.mark.parametrize("nearest", [1.0, 1.2, 1.25, 1.3])
def test_overlapping_distributions_are_refused(nearest: float) -> None:
    """Without a margin on both sides there is no limit to write."""
    with pytest.raises(FaultFound, match="nothing was written"):
        place_limits([run("right", 1.25), run("wrong", nearest)])


def test_right_answer_that_differs_call_by_call_is_refused() -> None:
    """The limit of agreement must hold ten times what right answers differ."""
    with pytest.raises(FaultFound, match="is right, yet"):
        place_limits([run("right", 1.0, deviation=AGREEMENT / 9), run("wrong", 5.0)])


def test_noise_may_differ_call_by_call() -> None:
    """It was put in, up to the limit itself."""
    place_limits([run("right", 1.0, deviation=AGREEMENT, noise=AGREEMENT), run("wrong", 5.0)])


def test_wrong_answer_that_agrees_call_by_call_is_refused() -> None:
    """What following cannot see would get full marks without a training."""
    with pytest.raises(FaultFound, match="is wrong, yet"):
        place_limits([run("right", 1.0), run("wrong", 5.0, deviation=AGREEMENT * 9)])


@pytest.fixture
def quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Calibrating:
    """Return a calibration that measures nothing and writes into a folder of its own."""

    def measured(assignment: Any, found: list[Subject], seed: int, recipe: Any) -> Iterator[Measured]:
        for subject in due(found, seed):
            yield replace(run(subject.kind, 1.1 if subject.kind == "right" else 3.0), subject=subject.name, seed=seed)

    monkeypatch.setattr(calibrate, "measure", measured)
    monkeypatch.setattr(calibrate, "make_calibration", lambda assignment, seed: short_reference().calibration)
    return Calibrating(seeds=2, folder=tmp_path, figure=tmp_path / "figures" / "calibration.png")


def test_command_writes_weights_limits_provenance_and_figure(quick: Calibrating, capsys: Any) -> None:
    """The record holds every run, so that limits and figure can be made again from it."""
    assert calibrate_command(assignment(), quick) == 0
    record = json.loads((quick.folder / "calibration.json").read_text())
    assert record["limits"]["mean"] == pytest.approx((1.1 * 3.0) ** 0.5)
    assert record["prelude_sha256"] == assignment().prelude_sha256
    assert record["versions"]["torch"] == torch.__version__.split("+")[0] or record["versions"]["torch"]
    assert record["runs"]["rounding"]["mean"] == [1.1, 1.1]
    assert (quick.folder / "teacher.npz").stat().st_size > 1000
    assert quick.figure is not None
    assert quick.figure.read_bytes().startswith(b"\x89PNG")
    assert "limit 1.817" in capsys.readouterr().out


def test_command_writes_nothing_when_it_refuses(quick: Calibrating, monkeypatch: pytest.MonkeyPatch) -> None:
    """The committed calibration stays as it was."""
    monkeypatch.setattr(calibrate, "measure", lambda *_: iter([run("right", 2.0), run("wrong", 2.0)]))
    with pytest.raises(FaultFound):
        calibrate_command(assignment(), quick)
    assert list(quick.folder.iterdir()) == []


def test_subjects_are_the_whole_bank_of_the_four_functions() -> None:
    """Each recorded right answer is in a run, each wrong one that only quality sees has its own."""
    found = subjects(load_bank())
    names = " ".join(subject.name for subject in found if subject.kind == "right").split()
    right = [record.name for record in load_bank() if record.kind == "right" and record.task in FUNCTIONS]
    assert set(right) <= set(names)
    wrong = [record for record in load_bank() if record.quality]
    assert len([subject for subject in found if subject.kind == "wrong"]) == len(wrong) >= 10


def test_due_gives_every_right_answer_its_turn() -> None:
    """Noise and wrong answers run with each seed, recorded right ones with every fourth, nothing is left out."""
    found = subjects(load_bank())
    turns = [due(found, seed) for seed in range(ROUNDS)]
    assert {subject.name for turn in turns for subject in turn} == {subject.name for subject in found}
    for turn in turns:
        assert [s for s in turn if s.kind == "wrong" or s.noise] == [s for s in found if s.kind == "wrong" or s.noise]


def test_measure_trains_each_subject_for_real(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reference by another name ends where it ended; an EMA that does nothing does not."""
    monkeypatch.setattr(spread, "make_calibration", lambda assignment, seed: short_reference().calibration)
    nothing = "def ema_update(online, target, decay):\n    print('nothing')"
    found = [Subject("same", "right"), Subject("nothing", "wrong", (nothing,)), Subject("noise", "right", noise=1e-5)]
    same, wrong, noise = measure(assignment(), found, 0, SHORT)
    assert same.mean == pytest.approx(1.0, abs=1e-3)
    assert same.deviation is not None
    assert same.deviation < 1e-6
    assert wrong.deviation is not None
    assert wrong.deviation > 10 * AGREEMENT
    assert wrong.mean != pytest.approx(1.0, abs=1e-4)
    assert noise.deviation == pytest.approx(1e-5, rel=0.1)


def test_noisy_is_off_by_its_size_at_most() -> None:
    """Relative to the largest entry of the answer."""
    inner = short_reference().functions
    x_0, epsilon, t = torch.ones(64, 2), torch.zeros(64, 2), torch.zeros(64)
    off = Noisy(inner, 0.01, seed=0).noisy_sample(x_0, epsilon, t) - inner.noisy_sample(x_0, epsilon, t)
    assert 0.009 < off.abs().max() <= 0.01 + 1e-6


def test_every_recorded_answer_can_be_measured() -> None:
    """Their cells run as in a box: with magics, and with figures that need a given cell which is not run."""
    zeros = torch.zeros(2, 2)
    with redirect_stdout(io.StringIO()), warnings.catch_warnings(action="ignore"):  # some right answers print
        for subject in subjects(load_bank()):
            functions = spread._functions(short_reference(), subject, 0)
            assert functions.noisy_sample(zeros, zeros, zeros[0]).shape == zeros.shape
