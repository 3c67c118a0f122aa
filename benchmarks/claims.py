"""Measure, over many seeds, every claim that the notebook's and the lesson's texts make about their recipes.

    python benchmarks/claims.py --seeds 20

runs the notebook's own cells (the prelude, the reference answers, the training loop), so that what is measured is what
a student runs. It prints the tables, writes them to results/claims.md and results/claims.json (and the climbs to
climb.json beside the lesson), and exits with 1 if a claim does not hold, or if a text quotes a number that was not
measured. Each seed is stored in build/claims/ as it is measured, so that an interrupted run resumes. Twenty seeds take
about 40 minutes of one quiet core.
"""

import argparse
import json
import platform
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import ot
import sklearn
import torch
from claims_cells import ROOT, fingerprint, load_with_teacher
from claims_report import judge, tables
from claims_samples import POINTS, measure_cloud, measure_samplers
from claims_texts import text_faults
from claims_training import (
    CLIMB_LEVELS,
    CLIMB_STEPS,
    measure_both_sides,
    measure_decays,
    measure_levels,
    measure_regressions,
    top_reached,
)

RESULTS = Path(__file__).parent / "results"
LESSON = ROOT / "source" / "consistency-models" / "lesson"  # which quotes the runs
STORE = ROOT / "build" / "claims"
DRAWN_DECAYS = ("0.0", "0.5", "0.9", "0.99")  # of the climbs
KEPT_LEVELS = ("0.1", "0.25", "0.5", "0.75", "1.0")  # of the errors by level, those that are written down


def boundary_gap(model: torch.nn.Module) -> float:
    """Return the largest |f(x, sigma_min) - x| over 10,000 points, in train and in eval mode."""
    x = 3 * torch.randn(10_000, 2)
    lowest = torch.full((len(x),), model.sigma_min)
    with torch.no_grad():
        return max((model.train(mode)(x, lowest) - x).abs().max().item() for mode in (True, False))


def measure(seed: int) -> dict:
    """Return all measurements of one seed under `run`, its climbs under `climbs`: its own teacher, models, samples."""
    began = time.process_time()
    names = load_with_teacher(seed)
    train, error, sampler = (
        names[key] for key in ("train_consistency_model", "endpoint_error", "sample_consistency_multistep")
    )
    found, climbs, model = measure_decays(names, seed)
    found["error.jumps_1"] = error(model)
    found["boundary.gap"] = boundary_gap(model)
    found |= measure_samplers(model, seed, names) | measure_levels("distillation", model, names)
    equal = names["bonus_recipe"]
    found["equal.distillation"] = error(train(names["distillation_pair"], equal, seed=seed)[0])
    without, _ = train(names["consistency_training_pair"], equal, seed=seed)
    found["equal.no_teacher"] = error(without)
    found |= measure_both_sides(names, seed)
    regressed, models = measure_regressions(names, seed)
    found |= regressed
    for name, other in (models | {"no_teacher": without}).items():
        for n in (1, 4):
            found |= measure_cloud(f"{name}_{n}", lambda n=n, other=other: sampler(other, POINTS, n), seed, names)
    found["cpu_seconds"] = time.process_time() - began
    return {"run": found, "climbs": climbs}


def measure_stored(seed: int) -> dict:
    """Return the measurements of one seed, from the store if it was measured on the same cells."""
    torch.set_num_threads(1)  # as in the notebook
    cells, file = fingerprint(), STORE / f"seed_{seed}.json"
    if file.exists() and (stored := json.loads(file.read_text()))["cells"] == cells:
        return stored
    STORE.mkdir(parents=True, exist_ok=True)
    made = {"cells": cells} | measure(seed)
    file.write_text(json.dumps(made))
    print(f"seed {seed}: endpoint error of one jump {made['run']['error.jumps_1']:.3f}", file=sys.stderr, flush=True)
    return made


def mean_climbs(measured: list[dict]) -> dict:
    """Return the climbs of the full runs from the teacher, each the mean over the seeds, in thousandths."""
    means = {d: torch.tensor([one["climbs"][f"teacher.{d}"] for one in measured]).mean(dim=0) for d in DRAWN_DECAYS}
    return {
        "steps": CLIMB_STEPS,
        "levels": CLIMB_LEVELS,
        "thousandths": {decay: (1000 * mean).round().int().tolist() for decay, mean in means.items()},
    }


def written(measured: dict) -> dict[str, float]:
    """Return what is kept of one seed's measurements, six digits of each, and when its climbs reached the top."""
    found = measured["run"] | {f"top.{d}": top_reached(measured["climbs"][f"teacher.{d}"]) for d in DRAWN_DECAYS}
    left_out = {k for k in found if k.startswith("level_error.") and k.split(".", 2)[2] not in KEPT_LEVELS}
    return {key: float(f"{value:.6g}") for key, value in found.items() if key not in left_out}


def write(report: dict, climbs: dict) -> str:
    """Write the results beside this file and beside the lesson; return the tables."""
    text = tables(report)
    RESULTS.mkdir(exist_ok=True)
    for place in (RESULTS, LESSON):
        (place / "claims.json").write_text(json.dumps(report, indent=1) + "\n")
    (LESSON / "climb.json").write_text(json.dumps(climbs, separators=(",", ":")) + "\n")
    (RESULTS / "claims.md").write_text(text)
    return text


def main() -> int:
    """Measure, print, write; return 0 if every claim holds, else 1."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20, help="number of seeds (default 20)")
    parser.add_argument("--workers", type=int, default=1, help="seeds measured at the same time (default 1)")
    arguments = parser.parse_args()
    with ProcessPoolExecutor(arguments.workers) as pool:
        measured = list(pool.map(measure_stored, range(arguments.seeds)))
    report = {
        "date": datetime.now(UTC).date().isoformat(),
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "scikit-learn": sklearn.__version__,
            "pot": ot.__version__,
        },
        "seeds": arguments.seeds,
        "runs": [written(one) for one in measured],
    }
    report["claims"] = judge(report, LESSON / "facts.toml")
    text = write(report, mean_climbs(measured))
    print(text)
    faults = text_faults(report, text)
    print("\n".join(faults), file=sys.stderr)
    return 0 if all(claim["holds"] for claim in report["claims"]) and not faults else 1


if __name__ == "__main__":
    sys.exit(main())
