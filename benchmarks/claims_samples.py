"""Measure clouds of samples: their distance to the data, their strays, and what the first noise does if used again."""

import statistics
from collections.abc import Callable
from functools import lru_cache

import numpy as np
import ot
import torch
from sklearn.datasets import make_moons

TEACHER_STEPS = (1, 5, 10, 20, 50)
JUMPS = (1, 2, 4, 8)
DRAWS = 4  # one draw of 2,000 points has a few more on one moon than the other, which moves W2 by 0.05
POINTS = 2000
STRAY = 0.4  # further from the moons' centre lines than this; the data's own noise has a deviation of 0.12
LEVELS = (0.75, 0.5, 0.25)  # of four jumps, rounded


def balanced_moons(seed: int, names: dict) -> torch.Tensor:
    """Return real points, (POINTS, 2), exactly half of them from each moon."""
    points, _ = make_moons(POINTS, noise=0.06, random_state=seed)
    return names["MOONS_SCALE"] * (torch.tensor(points, dtype=torch.float32) - torch.tensor(names["MOONS_MEAN"]))


@lru_cache(maxsize=1)
def centre_lines() -> tuple[torch.Tensor, torch.Tensor]:
    """Return 4,000 points on the moons' centre lines, unscaled, and which moon each is on."""
    points, moon = make_moons(4000, noise=None)
    return torch.tensor(points, dtype=torch.float32), torch.tensor(moon)


def wasserstein_2(a: torch.Tensor, b: torch.Tensor) -> float:
    """Return the exact Wasserstein-2 distance of two clouds of equally many points."""
    weights = np.full(len(a), 1 / len(a))
    costs = ot.dist(a.double().numpy(), b.double().numpy(), metric="sqeuclidean")
    return float(np.sqrt(ot.emd2(weights, weights, costs, numItermax=2_000_000)))


def energy_distance(a: torch.Tensor, b: torch.Tensor) -> float:
    """Return the energy distance of two clouds (Szekely and Rizzo 2013, the V-statistic)."""
    within = torch.cdist(a, a).mean() + torch.cdist(b, b).mean()
    return (2 * torch.cdist(a, b).mean() - within).item()


def shape(points: torch.Tensor, names: dict) -> dict[str, float]:
    """Return a cloud's share of strays, how thick its moons are, and the share of points on the first moon.

    The thickness is the median distance from the centre lines, which strays hardly change; `spread` is the root of the
    mean square of those that are no strays.
    """
    line, moon = centre_lines()
    off, nearest = torch.cdist(points, names["MOONS_SCALE"] * (line - torch.tensor(names["MOONS_MEAN"]))).min(dim=1)
    near = off[off <= STRAY]
    return {
        "strays": (off > STRAY).float().mean().item(),
        "thickness": off.median().item(),
        "spread": near.square().mean().sqrt().item(),
        "balance": (moon[nearest] == 0).float().mean().item(),
    }


def measure_cloud(name: str, draw: Callable, seed: int, names: dict) -> dict[str, float]:
    """Return what is measured of draw() under the name of its sampler, each the mean of DRAWS draws."""
    rows = []
    for k in range(DRAWS):
        torch.manual_seed(10_000 + DRAWS * seed + k)  # the same first noise for every sampler
        samples = draw()
        real = balanced_moons(DRAWS * seed + k, names)
        distances = {"w2": wasserstein_2(samples, real), "energy": energy_distance(samples, real)}
        rows.append(distances | shape(samples, names))
    return {f"{kind}.{name}": statistics.mean(row[kind] for row in rows) for kind in rows[0]}


@torch.no_grad()
def jump_with_first_noise(model: torch.nn.Module, n_samples: int, n_steps: int) -> torch.Tensor:
    """Return samples made like sample_consistency_multistep's, but for the noise: the first, used every time."""
    levels = torch.linspace(1.0, 0.002, n_steps + 1)[:-1]
    first = torch.randn(n_samples, 2)
    x_0 = model(first, levels[0].expand(n_samples))
    for s in levels[1:]:
        x_0 = model((1 - s) * x_0 + s * first, s.expand(n_samples))
    return x_0


def measure_samplers(model: torch.nn.Module, seed: int, names: dict) -> dict[str, float]:
    """Return the distances of the data itself, the teacher's ODE and the model's jumps to real data."""
    endpoint, sampler, teacher = names["ode_endpoint"], names["sample_consistency_multistep"], names["teacher"]
    draws = {"data": lambda: names["sample_two_moons"](POINTS)}
    for n in TEACHER_STEPS:
        draws[f"teacher_{n}"] = lambda n=n: endpoint(teacher, torch.randn(POINTS, 2), n_steps=n)
    for n in JUMPS:
        draws[f"jumps_{n}"] = lambda n=n: sampler(model, POINTS, n)
    for n in JUMPS[1:]:
        draws[f"reused_{n}"] = lambda n=n: jump_with_first_noise(model, POINTS, n)
    found: dict[str, float] = {}
    for name, draw in draws.items():
        found |= measure_cloud(name, draw, seed, names)
    noise, end = names["check_noise"], names["check_end"]
    for n in TEACHER_STEPS:
        gap = endpoint(teacher, noise, n_steps=n) - end
        found[f"error.teacher_{n}"] = gap.norm(dim=1).mean().item()
    return found | measure_second_jump(model, seed, names)


@torch.no_grad()
def measure_second_jump(model: torch.nn.Module, seed: int, names: dict) -> dict[str, float]:
    """Return how far a re-noised point is off its old trajectory, and how far the second answer moves.

    For the first noise used again and for fresh noise, at each of LEVELS.
    """
    torch.manual_seed(20_000 + seed)
    first, fresh = torch.randn(2, POINTS, 2)
    path = names["solve_ode"](names["teacher"], first, 1.0, 0.0, 200)
    x_0 = model(first, torch.ones(POINTS))
    found = {}
    for s in LEVELS:
        on_trajectory = path[round(200 * (1 - s))][0]
        for kind, noise in (("reused", first), ("fresh", fresh)):
            x_s = (1 - s) * x_0 + s * noise
            second = model(x_s, torch.full((POINTS,), s))
            found[f"off.{kind}.{s}"] = (x_s - on_trajectory).norm(dim=1).mean().item()
            found[f"moves.{kind}.{s}"] = (second - x_0).norm(dim=1).mean().item()
    return found
