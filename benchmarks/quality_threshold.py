"""Measure where the visible quality check must draw its line, by the notebook's own training.

    python benchmarks/quality_threshold.py --seeds 20

trains the consistency model as the notebook does, over many seeds, each with its own teacher: once with right
answers, and once with a target that is copied instead of averaged. It writes the endpoint errors on the way to
results/quality_threshold.json and the table to results/quality_threshold.md, and exits with 1 unless the line in the
notebook's cell lies between all right runs and all runs of a hard copy. Runs that are already in the file are kept, so
an interrupted measurement resumes; runs of other code are measured again. A run takes 10 to 15 seconds of one core.
"""

import argparse
import ast
import hashlib
import json
import re
import statistics
import sys
from pathlib import Path

import torch
from claims_cells import ROOT, load_notebook, notebook_cells, run_cells

RESULTS = Path(__file__).parent / "results" / "quality_threshold.json"
RECORDED = ROOT / "tests" / "submissions" / "consistency-models"
RIGHT, COPY = "right", "ema_update/hard_copy"
GIVEN_CELLS = ("endpoint_error", "recipe", "training_loop", "distillation_pair")


def is_run(cell) -> bool:
    """Return whether the training runs this cell: the prelude, the reference answers and the recipe."""
    solution = cell.metadata.get("nbgrader", {}).get("solution", False)
    return cell.cell_type == "code" and (
        solution or cell.id in GIVEN_CELLS or "prelude" in cell.metadata.get("tags", [])
    )


def recipe_hash() -> str:
    """Return the hash of all code that a run executes, without its comments and docstrings and the wrong answers."""
    tree = ast.parse("\n".join(cell.source for cell in notebook_cells() if is_run(cell)))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return hashlib.sha256(ast.unparse(tree).encode()).hexdigest()


def figures(errors: list[float]) -> tuple[float, float]:
    """Return the two figures that the notebook's check compares with its line: the last error, and the late median."""
    return errors[-1], statistics.median(errors[len(errors) // 2 :])


def notebook_threshold() -> float:
    """Return the endpoint error that the notebook's visible check allows."""
    source = next(cell.source for cell in notebook_cells() if cell.id == "test_sample_quality")
    return float(re.search(r"max\(error, late\) < (\d*\.\d+)", source)[1])


def measure(seed: int, missing: list[str]) -> dict[str, list[float]]:
    """Return, for each missing run of a seed, the endpoint errors of one jump every 50 steps."""
    namespace = load_notebook()
    namespace["teacher"] = namespace["train_teacher"](seed)
    run_cells(namespace, lambda cell: cell.id in GIVEN_CELLS)
    found = {}
    for name in missing:
        task = name.partition("/")[0]
        reference = namespace.get(task)
        if name != RIGHT:
            exec((RECORDED / name / "answer.py").read_text(encoding="utf-8"), namespace)  # noqa: S102 - our own answers
        _, history = namespace["train_consistency_model"](
            namespace["distillation_pair"], backbone=namespace["teacher"], seed=seed
        )
        found[name] = [round(error, 4) for error in history["error"]]
        namespace[task] = reference
    return found


def larger(by_seed: dict[str, list[float]]) -> list[float]:
    """Return the larger of the two figures of each run."""
    return [max(figures(errors)) for errors in by_seed.values()]


def table(runs: dict[str, dict[str, list[float]]], threshold: float) -> str:
    """Return the measurements as a table, and what they say of the threshold."""
    lines = [
        "# The line of the visible quality check",
        "",
        "Endpoint error of one jump in the notebook's own training, each seed with its own teacher",
        "(`benchmarks/quality_threshold.py`): after the last step, and the median over the second half.",
        f"The check holds if both are below {threshold:g}.",
        "",
        "| answers | runs | last: smallest | median | largest | late: smallest | median | largest | check holds in |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, by_seed in runs.items():
        pairs = [figures(errors) for errors in by_seed.values()]
        columns = [sorted(column) for column in zip(*pairs, strict=True)]
        shown = [f"{value:.3f}" for c in columns for value in (c[0], statistics.median(c), c[-1])]
        holds = sum(max(pair) < threshold for pair in pairs)
        lines.append(f"| {' | '.join([name, str(len(pairs)), *shown, str(holds)])} |")
    right, copy = larger(runs[RIGHT]), larger(runs[COPY])
    mean, deviation = statistics.mean(right), statistics.stdev(right)
    lines += [
        "",
        f"With right answers the larger of the two is {mean:.3f} on average (standard deviation {deviation:.3f}).",
        f"So the line lies {(threshold - mean) / deviation:.1f} standard deviations above the mean and at "
        f"{threshold / max(right):.2f} times the largest.",
        f"With a hard copy it is at least {min(copy):.3f}, {min(copy) / threshold:.2f} times the line.",
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Measure what is missing, write the results; return 0 if the line separates right answers from a hard copy."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20, help="number of seeds (default 20)")
    seeds = parser.parse_args().seeds
    torch.set_num_threads(1)  # as in the notebook
    stored = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    if stored.get("recipe") != recipe_hash():
        stored = {"recipe": recipe_hash(), "torch": torch.__version__, "runs": {}}
    runs: dict[str, dict[str, list[float]]] = {name: stored["runs"].get(name, {}) for name in (RIGHT, COPY)}
    stored["runs"] = runs
    for seed in range(seeds):
        missing = [name for name in runs if str(seed) not in runs[name]]
        for name, errors in measure(seed, missing).items() if missing else ():
            runs[name][str(seed)] = errors
            print(f"seed {seed}, {name}: {errors[-1]:.3f}", file=sys.stderr, flush=True)
        RESULTS.write_text(json.dumps(stored) + "\n", encoding="utf-8")
    text = table(runs, notebook_threshold())
    print(text)
    RESULTS.with_suffix(".md").write_text(text, encoding="utf-8")
    separated = max(larger(runs[RIGHT])) < notebook_threshold() < min(larger(runs[COPY]))
    return 0 if separated else 1


if __name__ == "__main__":
    sys.exit(main())
