"""Judge the measurements of claims.py and write them as tables."""

import statistics
import tomllib
from pathlib import Path

from autograder.lesson.facts import Runs

Records = list[dict[str, float]]
ROWS = {
    "teacher_1": "teacher's ODE, 1 step",
    "teacher_5": "teacher's ODE, 5 steps",
    "teacher_10": "teacher's ODE, 10 steps",
    "teacher_20": "teacher's ODE, 20 steps",
    "teacher_50": "teacher's ODE, 50 steps",
    "jumps_1": "consistency model, 1 jump",
    "jumps_2": "consistency model, 2 jumps",
    "jumps_4": "consistency model, 4 jumps",
    "jumps_8": "consistency model, 8 jumps",
    "reused_2": "2 jumps, the first noise again",
    "reused_4": "4 jumps, the first noise again",
    "reused_8": "8 jumps, the first noise again",
    "regression_1": "regression from the noise, 1 jump",
    "regression_4": "regression from the noise, 4 jumps",
    "regression_levels_1": "regression from every point, 1 jump",
    "regression_levels_4": "regression from every point, 4 jumps",
}
COLLAPSED = 1.0  # endpoint error; a single blob has about 1.8


def judge(record: dict, facts: Path) -> list[dict]:
    """Return the comparisons that the texts make (facts.toml), each with its recipe, its two sides and its margin.

    The margin is the larger side minus the smaller, and the claim holds if it is positive.
    """
    runs = Runs(record)
    claims = []
    for held in tomllib.loads(facts.read_text(encoding="utf-8"))["holds"]:
        small, large = (runs.value(side) if isinstance(side, str) else float(side) for side in held["less"])
        claims.append(
            {
                "statement": held["says"],
                "recipe": held["recipe"],
                "compared": " < ".join(str(side) for side in held["less"]),
                "small": small,
                "large": large,
                "margin": large - small,
                "holds": small < large,
            }
        )
    return claims


def column(runs: Records, key: str) -> list[float]:
    """Return one measurement of every run."""
    return [run[key] for run in runs]


def mean(runs: Records, key: str) -> float:
    """Return the mean of one measurement over the runs."""
    return statistics.mean(column(runs, key))


def cells(values: list[float], digits: int = 3) -> str:
    """Return mean, standard deviation and worst (largest) value as three cells of a table row."""
    spread = statistics.stdev(values) if len(values) > 1 else 0.0
    return " | ".join(f"{v:.{digits}f}" for v in (statistics.mean(values), spread, max(values)))


def claim_table(claims: list[dict]) -> str:
    """Return the table of claims."""
    lines = ["| claim | recipe | smaller | larger | margin | holds |", "|---|---|---|---|---|---|"]
    for one in claims:
        numbers = " | ".join(f"{one[side]:.3g}" for side in ("small", "large", "margin"))
        lines.append(f"| {one['statement']} | {one['recipe']} | {numbers} | {'yes' if one['holds'] else 'NO'} |")
    return "\n".join(lines)


def sampler_table(runs: Records) -> str:
    """Return the table of samplers: distances to real data, strays, thickness; endpoint error where it is defined."""
    lines = [
        "| sampler | W2, mean | sd | worst | energy distance | endpoint error | strays | thickness |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for key, title in ROWS.items():
        one_jump = key.removesuffix("_1") if key.startswith("regression") and key.endswith("_1") else key
        error = f"{mean(runs, f'error.{one_jump}'):.3f}" if f"error.{one_jump}" in runs[0] else ""
        shape = f"{mean(runs, f'strays.{key}'):.1%} | {mean(runs, f'thickness.{key}'):.3f}"
        lines.append(
            f"| {title} | {cells(column(runs, f'w2.{key}'))} | {mean(runs, f'energy.{key}'):.4f} | {error} | {shape} |"
        )
    return "\n".join(lines)


def training_table(runs: Records) -> str:
    """Return the table of endpoint errors of all ways to train."""
    decays = [key.removeprefix("decay.") for key in runs[0] if key.startswith("decay.")]
    rows = [(f"full run, started from the teacher, decay {d}", f"main_teacher.{d}") for d in decays]
    rows += [(f"full run, random start, decay {d}", f"main_random.{d}") for d in decays]
    rows += [
        ("full run, gradient through both sides", "main_both_sides"),
        ("regression from the noise, started from the teacher", "error.regression"),
        ("regression from the noise, random start", "error.regression_random"),
        ("regression from the noise, a tenth of the walks", "error.regression_tenth"),
        ("regression from the noise, a fiftieth of the walks", "error.regression_fiftieth"),
        ("regression from every point, started from the teacher", "error.regression_levels"),
        ("distillation, random start, half as long", "equal.distillation"),
        ("without a teacher, random start, half as long", "equal.no_teacher"),
    ]
    rows += [(f"short run, decay {d}", f"decay.{d}") for d in decays]
    rows += [
        ("short run, gradient through both sides", "both_sides.teacher"),
        ("short run without a teacher", "one_side.no_teacher"),
        ("the same, gradient through both sides", "both_sides.no_teacher"),
    ]
    lines = ["| training | endpoint error, mean | sd | worst | collapsed runs |", "|---|---|---|---|---|"]
    for title, key in rows:
        values = column(runs, key)
        collapsed = sum(value > COLLAPSED for value in values)
        lines.append(f"| {title} | {cells(values)} | {collapsed} of {len(values)} |")
    return "\n".join(lines)


def second_jump_table(runs: Records) -> str:
    """Return the table of what re-noising does to a point: how far off its old trajectory, how far the answer moves."""
    lines = ["| noise | level | off the old trajectory | the second answer moves |", "|---|---|---|---|"]
    for kind, title in (("reused", "the first again"), ("fresh", "fresh")):
        for level in (0.75, 0.5, 0.25):
            off, moves = (mean(runs, f"{what}.{kind}.{level}") for what in ("off", "moves"))
            lines.append(f"| {title} | {level} | {off:.3f} | {moves:.3f} |")
    return "\n".join(lines)


def level_table(runs: Records) -> str:
    """Return the table of errors at several levels, on the teacher's trajectories."""
    names = {
        "distillation": "distillation, full run",
        "regression": "regression from the noise",
        "regression_levels": "regression from every point",
    }
    levels = [key.rpartition(".distillation.")[2] for key in runs[0] if key.startswith("level_error.distillation.")]
    lines = [f"| model | {' | '.join(f't = {t}' for t in levels)} |", "|---" * (len(levels) + 1) + "|"]
    for name, title in names.items():
        errors = (f"{mean(runs, f'level_error.{name}.{t}'):.3f}" for t in levels)
        lines.append(f"| {title} | {' | '.join(errors)} |")
    return "\n".join(lines)


def tables(report: dict) -> str:
    """Return the whole report as Markdown."""
    runs = report["runs"]
    versions = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
    parts = [
        "# The claims of notebook and lesson, measured",
        f"{report['date']}, {report['seeds']} seeds, {versions}; {mean(runs, 'cpu_seconds'):.0f} CPU seconds per seed.",
        "A full run is the notebook's main recipe: 2,000 steps, 10, 20 and then 40 intervals between the levels. A "
        "short run has 500 steps, 20 intervals and a smaller network, and starts from random weights.",
        claim_table(report["claims"]),
        "## Samplers",
        "Exact Wasserstein-2 distance (W2) and energy distance of 2,000 samples to 2,000 real points, half of "
        "them from each moon; the mean of four draws. Real points drawn independently: "
        f"W2 {mean(runs, 'w2.data'):.3f}, strays {mean(runs, 'strays.data'):.1%}, thickness "
        f"{mean(runs, 'thickness.data'):.3f}. Endpoint error: the mean distance to where the "
        "teacher's ODE (200 steps) ends from the same noise. Strays: points further than 0.4 from the moons' centre "
        "lines. Thickness: the median distance from the centre lines.",
        sampler_table(runs),
        "## Training",
        "A run has collapsed if its endpoint error is above 1 (a single blob has about 1.8). One jump of the "
        f"model without a teacher: W2 {mean(runs, 'w2.no_teacher_1'):.3f}. A regression learns from 5,120 walks of the "
        "teacher, 50 steps each, which are as many calls of the teacher as a full run takes; as many training steps.",
        training_table(runs),
        "## Error by level",
        "How far the model's answer for points of the teacher's trajectories is from their ends.",
        level_table(runs),
        "## What re-noising does",
        "After one jump of the full run's model: the mean distance of the re-noised point from the first noise's "
        "trajectory, the teacher's, at the same level, and of the second answer from the first.",
        second_jump_table(runs),
    ]
    return "\n\n".join(parts) + "\n"
