"""What section 11 of the lesson says of slow targets, asked of its own models: to which level they are right."""

from __future__ import annotations

import json

import pytest
import torch

from autograder.course import find_assignment
from tests.lesson_networks import COURSE, exported_networks

STEPS = 200  # of the figure's trajectory, and of its slider


@pytest.fixture(scope="module")
def path() -> list[tuple[torch.Tensor, float]]:
    """Return trajectories of the teacher: the first begins where the figure's noise stands at first, 500 anywhere."""
    start = json.loads((find_assignment(COURSE).lesson / "pictures.json").read_text(encoding="utf-8"))["route"][0]
    noise = torch.randn(500, 2, generator=torch.Generator().manual_seed(0))
    networks = exported_networks()
    found = networks["solve_ode"](networks["teacher"], torch.cat([torch.tensor([start]), noise]), 1.0, 0.0, STEPS)
    return list(found)


def jumped(path: list[tuple[torch.Tensor, float]], name: str, place: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return where a model's jumps land from a place of the slider, and how far from the trajectories' ends."""
    model, end = exported_networks()[name], path[-1][0]
    t = max(place / STEPS, model.sigma_min)
    before, after = path[STEPS - max(place, 1)][0], path[STEPS - max(place, 1) + 1][0]
    x = before if place else after + t * STEPS * (before - after)  # the lowest place lies between the last two
    landing = model(x, torch.full((len(x),), t))
    return landing, (landing - end).norm(dim=1)


def misses(path: list[tuple[torch.Tensor, float]], name: str, place: int) -> tuple[float, float]:
    """Return by how much a jump misses: from the figure's first noise, and on average over the others."""
    _, miss = jumped(path, name, place)
    return miss[0].item(), miss[1:].mean().item()


def test_decay_099_is_right_to_about_015_and_no_further(path: list[tuple[torch.Tensor, float]]) -> None:
    """Right on every place up to t = 0.15, where the moons are six units wide; wrong soon after."""
    assert max(max(misses(path, "decay_0.99", place)) for place in range(31)) < 0.2
    assert min(misses(path, "decay_0.99", 50)) > 0.7  # t = 0.25


@pytest.mark.parametrize("name", ["decay_0.99", "decay_0.999"])
def test_slow_decays_are_stuck_near_the_middle(path: list[tuple[torch.Tensor, float]], name: str) -> None:
    """From t = 0.5 on all jumps land within a tenth of the data's width of the middle, whatever the end is."""
    for place in range(100, STEPS + 1, 10):
        landing, miss = jumped(path, name, place)
        assert landing.norm(dim=1).mean() < 0.3
        assert miss.mean() > 1.5


def test_decay_0999_is_right_at_the_lowest_two_levels_alone(path: list[tuple[torch.Tensor, float]]) -> None:
    """At 0.002, by the boundary condition, and at 0.05; between them and above it is wrong."""
    assert max(misses(path, "decay_0.999", 0)) < 0.02
    assert max(misses(path, "decay_0.999", 10)) < 0.1
    for place in (1, 2, 4, *range(14, STEPS + 1)):
        assert min(misses(path, "decay_0.999", place)) > 0.4, place


@pytest.mark.parametrize(("name", "most"), [("distilled", 0.1), ("decay_0.5", 0.25)])
def test_fast_decays_climb_to_the_top(path: list[tuple[torch.Tensor, float]], name: str, most: float) -> None:
    """What 'then try 0.5' shows: at every level the mean miss is small."""
    assert max(misses(path, name, place)[1] for place in range(0, STEPS + 1, 5)) < most
