"""Judge the measurements of claims.py and write them as tables."""

import statistics

Runs = list[dict[str, float]]
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
}
COLLAPSED = 1.0  # endpoint error; right runs stay below 0.5, a single blob has about 1.8


def column(runs: Runs, key: str) -> list[float]:
    """Return one measurement of every run."""
    return [run[key] for run in runs]


def ratios(runs: Runs, above: str, below: str) -> list[float]:
    """Return the ratio of two measurements of every run."""
    return [run[above] / run[below] for run in runs]


def mean_ratio(runs: Runs, above: str, below: str) -> float:
    """Return the ratio of the means of two measurements."""
    return statistics.mean(column(runs, above)) / statistics.mean(column(runs, below))


def claim(name: str, statement: str, value: float, limit: float, strict: bool = True) -> dict:
    """Return a judged claim: `value` must lie below `limit` (or reach it, if not strict)."""
    holds = value < limit if strict else value <= limit
    return {"id": name, "statement": statement, "value": value, "limit": limit, "holds": holds}


def judge(runs: Runs) -> list[dict]:
    """Return the claims of the notebook's text, each with its measured value and its limit."""
    five = ratios(runs, "w2.jumps_1", "w2.teacher_5")
    four = ratios(runs, "w2.jumps_4", "w2.teacher_20")
    worst_with, best_without = column(runs, "equal.distillation"), column(runs, "equal.no_teacher")
    gap = max(column(runs, "boundary.gap"))
    return [
        claim("one_jump_five_steps", "W2 of one jump over the teacher's 5 steps, worst run", max(five), 1.0),
        claim(
            "one_jump_ten_steps",
            "W2 of one jump over the teacher's 10 steps, ratio of the means",
            mean_ratio(runs, "w2.jumps_1", "w2.teacher_10"),
            1.0,
        ),
        claim(
            "four_jumps_mean",
            "W2 of four jumps over the teacher's 20 steps, ratio of the means",
            mean_ratio(runs, "w2.jumps_4", "w2.teacher_20"),
            1.2,
        ),
        claim("four_jumps_worst", "the same, worst run", max(four), 1.2),
        claim(
            "with_teacher",
            "endpoint error at equal steps and random start: worst distillation over best without a teacher",
            max(worst_with) / min(best_without),
            1.0,
        ),
        claim("boundary", "largest gap of the boundary condition, train and eval mode", gap, 1e-6, strict=False),
    ]


def cells(values: list[float], digits: int = 3) -> str:
    """Return mean, standard deviation and worst (largest) value as three cells of a table row."""
    spread = statistics.stdev(values) if len(values) > 1 else 0.0
    return " | ".join(f"{v:.{digits}f}" for v in (statistics.mean(values), spread, max(values)))


def sampler_table(runs: Runs) -> str:
    """Return the table of samplers: distances to real data, and endpoint error where it is defined."""
    lines = [
        "| sampler | W2, mean | sd | worst | energy distance | endpoint error |",
        "|---|---|---|---|---|---|",
    ]
    for key, title in ROWS.items():
        energy = statistics.mean(column(runs, f"energy.{key}"))
        known = f"error.{key}" in runs[0]
        error = f"{statistics.mean(column(runs, f'error.{key}')):.3f}" if known else ""
        lines.append(f"| {title} | {cells(column(runs, f'w2.{key}'))} | {energy:.4f} | {error} |")
    return "\n".join(lines)


def training_table(runs: Runs) -> str:
    """Return the table of endpoint errors of other ways to train."""
    rows = [
        ("distillation, started from the teacher", "error.jumps_1"),
        ("distillation, random start, half as long", "equal.distillation"),
        ("without a teacher, random start, half as long", "equal.no_teacher"),
    ]
    rows += [(f"short run, decay {key[6:]}", key) for key in runs[0] if key.startswith("decay.")]
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


def tables(report: dict) -> str:
    """Return the whole report as Markdown."""
    runs = report["runs"]
    versions = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
    seconds = statistics.mean(column(runs, "cpu_seconds.teacher_and_distillation"))
    judged = ["| claim | measured | limit | holds |", "|---|---|---|---|"]
    for one in report["claims"]:
        verdict = "yes" if one["holds"] else "NO"
        judged.append(f"| {one['statement']} | {one['value']:.3g} | {one['limit']:g} | {verdict} |")
    parts = [
        "# The notebook's claims, measured",
        f"{report['date']}, {report['seeds']} seeds, {versions}. Teacher and distillation: "
        f"{seconds:.1f} CPU seconds a run.",
        "\n".join(judged),
        "## Samplers",
        "Exact Wasserstein-2 distance (W2) and energy distance of 2,000 samples to 2,000 real points, half of "
        "them from each moon; the mean of four draws. Real points drawn independently: "
        f"W2 {statistics.mean(column(runs, 'w2.data')):.3f}. Endpoint error: the mean distance to where the "
        "teacher's ODE (200 steps) ends from the same noise.",
        sampler_table(runs),
        "## Training",
        "A run has collapsed if its endpoint error is above 1 (a single blob has about 1.8). One jump of the "
        f"model without a teacher: W2 {statistics.mean(column(runs, 'w2.no_teacher_1')):.3f}.",
        training_table(runs),
    ]
    return "\n\n".join(parts) + "\n"
