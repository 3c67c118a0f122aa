"""What figures show: the student's own, the same each time, and nothing where nothing was measured."""

from __future__ import annotations

import json

import pytest
import torch

from autograder.assignments.consistency_models.evidence import LARGEST, POINTS, gather, levels_visited, packed
from autograder.assignments.consistency_models.training.functions import FUNCTIONS
from autograder.assignments.consistency_models.training.quality import TRAINING
from autograder.judge.pytest_plugin import run_checks
from autograder.judge.run import Run
from autograder.verdict import CheckFailed
from tests.bank import load_bank
from tests.notebooks import assignment
from tests.trainings import Only, reference, student, training

BANK = {(record.task, record.name): record for record in load_bank()}
SAMPLER = "sample_consistency_multistep"


def sampler(name: str) -> list[dict[str, object]]:
    """Return the levels that a recorded sampler visits."""
    record = BANK[SAMPLER, name]
    return levels_visited(student({SAMPLER: record.answer}, (record.before,)))


def test_gather_has_the_samples_and_distances_of_the_training() -> None:
    """Three clouds of the same size, each distance with its limit, all of it JSON without end or NaN."""
    of = training(student())
    of.train()
    evidence = gather(of)
    assert {name: len(text.split()) for name, text in evidence["samples"].items()} == {
        "target": POINTS, "teacher": 100, "student": 100,
    }  # fmt: skip
    assert evidence["distance"]["mean"] == {"ratio": 1.0, "limit": 1.2}
    assert evidence["replaced"] == []
    assert json.loads(json.dumps(evidence, allow_nan=False)) == evidence


def test_gather_is_the_same_twice() -> None:
    """Two markings of one submission give the same evidence, whatever the global generators hold."""
    found = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        of = training(student())
        of.train()
        found.append((gather(of), levels_visited(student())))
    assert found[0] == found[1]


def test_gather_names_the_functions_that_were_replaced() -> None:
    """Where a function does not hold, the figure's caption can say whose was used."""
    of = training(student(), passed=frozenset(FUNCTIONS) - {"ema_update"})
    of.train()
    assert gather(of)["replaced"] == ["ema_update"]


def test_gather_leaves_out_what_was_not_trained() -> None:
    """No training, or one that failed, has no samples."""
    assert gather(training(student())) == {}
    of = training(student({"noisy_sample": "def noisy_sample(x_0, epsilon, t):\n    raise ValueError"}))
    with pytest.raises(CheckFailed):
        of.train()
    assert gather(of) == {}


def test_levels_visited_of_the_reference_are_right() -> None:
    """One row for each number of steps, the levels as they should be."""
    levels = levels_visited(student())
    assert [row["n_steps"] for row in levels] == [1, 2, 4, 8]
    assert all(row["asked"] == row["expected"] and row["right"] for row in levels)
    assert levels[1]["asked"] == [1.0, 0.501]


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("level_stays_at_the_top", [1.0, 1.0]),
        ("levels_end_at_sigma_min", [1.0, 0.002]),
        ("next_level_asked", [0.501, 0.002]),
        ("levels_rising", [0.002, 0.501]),
        ("random_levels", None),
    ],
)
def test_levels_visited_shows_wrong_levels(name: str, asked: list[float] | None) -> None:
    """Where a sampler went is told as it went; levels that it draws are its own randomness, and are not printed."""
    row = sampler(name)[1]
    assert row["asked"] == asked
    assert row["right"] is False


@pytest.mark.parametrize("name", ["returns_none", "scalar_time", "steps_capped", "asked_twice_each"])
def test_levels_visited_of_any_sampler_is_bounded(name: str) -> None:
    """A sampler that fails or asks in another form has fewer rows or none, never an error of ours."""
    levels = sampler(name)
    assert len(json.dumps(levels, allow_nan=False)) < 2000


def test_levels_visited_of_hostile_times_is_bounded() -> None:
    """Times without bound are cut, and questions without end are not kept."""
    answer = f"""
def {SAMPLER}(model, n_samples, n_steps, sigma_min=0.002, sigma_max=1.0):
    for _ in range(90):
        x = model(torch.zeros(n_samples, 2), torch.full((n_samples,), 1e30))
    return x
"""
    (first, *_) = levels_visited(student({SAMPLER: answer}))
    assert first["asked"] == [LARGEST] * 24


def test_levels_visited_of_a_missing_sampler_is_empty() -> None:
    """What is not there has no figure."""
    assert levels_visited(student({SAMPLER: "pass"})) == []


def test_packed_keeps_points_in_bounds() -> None:
    """NaN, infinity and minus zero become numbers that can be drawn."""
    points = torch.tensor([[float("nan"), float("inf")], [-1e9, -0.001], [1.006, 2.0]])
    assert packed(points) == "9.99,9.99 -9.99,0.00 1.01,2.00"


@pytest.mark.parametrize("task", [SAMPLER, "ema_update"])
def test_the_checks_of_the_sampler_alone_hand_over_the_figure_of_its_levels(task: str) -> None:
    """It is asked once they are done, and its answers cost no points."""
    run = Run(assignment(), Only(student()), "seed", reference())
    run_checks(run, [task])
    assert [figure["task"] for figure in run.figures] == [SAMPLER] * (task == SAMPLER)
    assert run.result(assignment().task(task)).score > 0


def test_the_checks_of_sample_quality_hand_over_the_figures_of_one_training() -> None:
    """Boundary condition, which asks for it first, shows nothing of its own."""
    run = training(student(), by=reference())._run
    run_checks(run, ["boundary_condition"])
    trained = run.made(TRAINING)
    assert trained is not None
    assert run.figures == []
    run_checks(run, ["sample_quality"])
    assert run.made(TRAINING) is trained
    assert {figure["task"] for figure in run.figures} == {"sample_quality"}
