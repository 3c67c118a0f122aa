"""Measure, over many seeds, every claim that the notebook's text makes about its recipe.

    python benchmarks/claims.py --seeds 20

runs the notebook's own cells (the prelude, the reference answers, the training loop), so that what is
measured is what a student runs. It prints the tables, writes them to results/claims.md and
results/claims.json, and exits with 1 if a claim does not hold. Twenty seeds take about a quarter of an
hour on one quiet core.
"""

import argparse
import json
import platform
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import nbformat
import numpy as np
import ot
import sklearn
import torch
from claims_report import judge, tables
from sklearn.datasets import make_moons

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOK = ROOT / "source" / "consistency-models" / "consistency-models.ipynb"
RESULTS = Path(__file__).parent / "results"
LESSON = Path(__file__).parents[1] / "source" / "consistency-models" / "lesson"  # which quotes the runs
# Given cells that define what is measured, in the notebook's order; `endpoint_error` needs a teacher.
GIVEN_CELLS = ("endpoint_error", "recipe", "training_loop", "distillation_pair", "short_recipes", "bonus_recipe")
TEACHER_STEPS = (1, 5, 10, 20, 50)
JUMPS = (1, 2, 4, 8)
DRAWS = 4  # one draw of 2,000 points has a few more on one moon than the other, which moves W2 by 0.05
POINTS = 2000


@lru_cache(maxsize=1)
def notebook_cells() -> list:
    """Return the notebook's cells, read once: an edit during a long run must not change what is measured."""
    return nbformat.read(NOTEBOOK, as_version=4).cells


def run_cells(namespace: dict, wanted: Callable) -> None:
    """Execute the notebook's code cells for which wanted(cell) is true, in order."""
    for cell in notebook_cells():
        if cell.cell_type == "code" and wanted(cell):
            exec(compile(cell.source, cell.id, "exec"), namespace)  # noqa: S102 - our own notebook


def load_notebook() -> dict:
    """Return a namespace with the prelude's names and the reference answers."""
    namespace: dict = {}
    run_cells(namespace, lambda cell: "prelude" in cell.metadata.get("tags", []))
    run_cells(namespace, lambda cell: cell.metadata.get("nbgrader", {}).get("solution", False))
    return namespace


def balanced_moons(seed: int, namespace: dict) -> torch.Tensor:
    """Return real points, (POINTS, 2), exactly half of them from each moon."""
    points, _ = make_moons(POINTS, noise=0.06, random_state=seed)
    centred = torch.tensor(points, dtype=torch.float32) - torch.tensor(namespace["MOONS_MEAN"])
    return namespace["MOONS_SCALE"] * centred


def wasserstein_2(a: torch.Tensor, b: torch.Tensor) -> float:
    """Return the exact Wasserstein-2 distance of two clouds of equally many points."""
    weights = np.full(len(a), 1 / len(a))
    costs = ot.dist(a.double().numpy(), b.double().numpy(), metric="sqeuclidean")
    return float(np.sqrt(ot.emd2(weights, weights, costs, numItermax=2_000_000)))


def energy_distance(a: torch.Tensor, b: torch.Tensor) -> float:
    """Return the energy distance of two clouds (Szekely and Rizzo 2013, the V-statistic)."""
    within = torch.cdist(a, a).mean() + torch.cdist(b, b).mean()
    return (2 * torch.cdist(a, b).mean() - within).item()


def distances(draw: Callable, seed: int, namespace: dict) -> tuple[float, float]:
    """Return W2 and energy distance of draw() to real points, each the mean of DRAWS draws."""
    pairs = []
    for k in range(DRAWS):
        torch.manual_seed(10_000 + DRAWS * seed + k)  # the same first noise for every sampler
        samples = draw()
        pairs.append((samples, balanced_moons(DRAWS * seed + k, namespace)))
    w2 = statistics.mean(wasserstein_2(a, b) for a, b in pairs)
    return w2, statistics.mean(energy_distance(a, b) for a, b in pairs)


def measure_samplers(model: torch.nn.Module, seed: int, namespace: dict) -> dict[str, float]:
    """Return the distances of the data itself, the teacher's ODE and the model's jumps to real data."""
    endpoint, sampler = namespace["ode_endpoint"], namespace["sample_consistency_multistep"]
    teacher = namespace["teacher"]
    draws = {"data": lambda: namespace["sample_two_moons"](POINTS)}
    for n in TEACHER_STEPS:
        draws[f"teacher_{n}"] = lambda n=n: endpoint(teacher, torch.randn(POINTS, 2), n_steps=n)
    for n in JUMPS:
        draws[f"jumps_{n}"] = lambda n=n: sampler(model, POINTS, n)
    found = {}
    for name, draw in draws.items():
        found[f"w2.{name}"], found[f"energy.{name}"] = distances(draw, seed, namespace)
    noise, end = namespace["check_noise"], namespace["check_end"]
    for n in TEACHER_STEPS:
        gap = endpoint(teacher, noise, n_steps=n) - end
        found[f"error.teacher_{n}"] = gap.norm(dim=1).mean().item()
    return found


def boundary_gap(model: torch.nn.Module) -> float:
    """Return the largest |f(x, sigma_min) - x| over 10,000 points, in train and in eval mode."""
    x = 3 * torch.randn(10_000, 2)
    lowest = torch.full((len(x),), model.sigma_min)
    with torch.no_grad():
        return max((model.train(mode)(x, lowest) - x).abs().max().item() for mode in (True, False))


def measure_both_sides(seed: int, namespace: dict) -> dict[str, float]:
    """Return endpoint errors of short runs whose gradient flows into the target's side as well."""

    def leaking_loss(online, target, x_tn1, t_n1, x_hat_tn, t_n):  # noqa: PLR0913 - the task's signature
        return torch.nn.functional.mse_loss(online(x_tn1, t_n1), online(x_hat_tn, t_n))

    train, error = namespace["train_consistency_model"], namespace["endpoint_error"]
    recipe = namespace["short_recipes"][0.9]
    reference = namespace["consistency_distillation_loss"]
    found = {}
    pairs = {"teacher": "distillation_pair", "no_teacher": "consistency_training_pair"}
    for name, pair in pairs.items():
        namespace["consistency_distillation_loss"] = leaking_loss
        found[f"both_sides.{name}"] = error(train(namespace[pair], recipe, seed=seed)[0])
        namespace["consistency_distillation_loss"] = reference
        found[f"one_side.{name}"] = error(train(namespace[pair], recipe, seed=seed)[0])
    return found


def measure(seed: int) -> dict[str, float]:
    """Return all measurements of one seed: its own teacher, models and samples."""
    namespace = load_notebook()
    began = time.process_time()
    namespace["teacher"] = namespace["train_teacher"](seed)
    run_cells(namespace, lambda cell: cell.id in GIVEN_CELLS)
    train, error = namespace["train_consistency_model"], namespace["endpoint_error"]
    pair, teacher = namespace["distillation_pair"], namespace["teacher"]
    model, _ = train(pair, backbone=teacher, seed=seed)
    found = {"cpu_seconds.teacher_and_distillation": time.process_time() - began}

    found |= measure_samplers(model, seed, namespace)
    found["error.jumps_1"] = error(model)
    found["boundary.gap"] = boundary_gap(model)
    equal = namespace["bonus_recipe"]
    found["equal.distillation"] = error(train(pair, equal, seed=seed)[0])
    without, _ = train(namespace["consistency_training_pair"], equal, seed=seed)
    found["equal.no_teacher"] = error(without)
    sampler = namespace["sample_consistency_multistep"]
    found["w2.no_teacher_1"], _ = distances(lambda: sampler(without, POINTS, 1), seed, namespace)
    for decay, recipe in namespace["short_recipes"].items():
        short, history = train(pair, recipe, seed=seed)
        found[f"decay.{decay}"] = error(short)
        found[f"decay_loss.{decay}"] = statistics.mean(history["loss"][-50:])
    return found | measure_both_sides(seed, namespace)


def main() -> int:
    """Measure, print, write; return 0 if every claim holds, else 1."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20, help="number of seeds (default 20)")
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # as in the notebook
    runs = []
    for seed in range(arguments.seeds):
        runs.append(measure(seed))
        print(f"seed {seed}: W2 of one jump {runs[-1]['w2.jumps_1']:.3f}", file=sys.stderr, flush=True)
    report = {
        "date": datetime.now(UTC).date().isoformat(),
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "scikit-learn": sklearn.__version__,
            "pot": ot.__version__,
        },
        "seeds": arguments.seeds,
        "claims": judge(runs),
        "runs": runs,
    }
    text = tables(report)
    print(text)
    RESULTS.mkdir(exist_ok=True)
    for place in (RESULTS, LESSON):
        (place / "claims.json").write_text(json.dumps(report, indent=1) + "\n")
    (RESULTS / "claims.md").write_text(text)
    return 0 if all(claim["holds"] for claim in report["claims"]) else 1


if __name__ == "__main__":
    sys.exit(main())
