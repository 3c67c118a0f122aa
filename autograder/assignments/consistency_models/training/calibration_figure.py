"""The calibration's figure: every run of every subject, the limits, and how far single answers differ."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from autograder.assignments.consistency_models.training.calibration import Limits
from autograder.assignments.consistency_models.training.following import AGREEMENT
from autograder.assignments.consistency_models.training.spread import Measured

# Okabe and Ito's colours, which colour-blind readers tell apart; the markers differ too.
STYLE = {"right": ("#0072B2", "o"), "wrong": ("#D55E00", "X"), "compared": ("#8A8A8A", "D")}
LEGEND = {
    "right": "right: rounding noise, recorded right answers",
    "wrong": "wrong: passes its own checks",
    "compared": "fails its own checks (for comparison)",
}
TITLES = {
    "mean": "distance to the teacher's endpoints\n(multiple of the reference's)",
    "tail": "the same, from noise of norm above 2",
    "deviation": "largest difference of an answer\n(relative, on the reference's trace)",
}


def draw(runs: list[Measured], limits: Limits, path: Path) -> None:
    """Draw a row a subject, a dot a run, and save the picture."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = _rows(runs)
    figure = Figure(figsize=(13, 1.6 + 0.24 * len(rows)), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, 3, sharey=True)
    for axis, (statistic, title) in zip(axes, TITLES.items(), strict=True):
        for run in runs:
            value = getattr(run, statistic)
            if value is not None:
                colour, marker = STYLE[run.kind]
                axis.plot(value, rows[run.subject], marker, color=colour, markersize=4, alpha=0.6)
        limit = getattr(limits, statistic, AGREEMENT)
        axis.axvline(limit, color="black", linestyle="--", linewidth=1)
        axis.set(xscale="log")
        axis.set_title(f"{title}\nlimit {limit:.3g}", fontsize=10)
        axis.grid(True, axis="x", color="#DDDDDD")
        if statistic != "deviation":
            _plain_ticks(axis, [getattr(run, statistic) for run in runs])
    axes[0].set(yticks=list(rows.values()), yticklabels=[_short(name) for name in rows], ylim=(len(rows) - 0.5, -0.5))
    axes[0].tick_params(axis="y", labelsize=8)
    handles = [
        axes[0].plot([], [], marker, color=colour, label=LEGEND[kind])[0] for kind, (colour, marker) in STYLE.items()
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, fontsize=9, frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=90, metadata={"Software": None})


def _rows(runs: list[Measured]) -> dict[str, int]:
    """Return the row of each subject: right ones above, then wrong ones, the nearest last."""
    nearest: dict[tuple[int, str], float] = {}
    for run in runs:
        key = (list(STYLE).index(run.kind), run.subject)
        nearest[key] = min(nearest.get(key, run.mean), run.mean)
    ordered = sorted(nearest, key=lambda key: (key[0], nearest[key]))
    return {subject: row for row, (_, subject) in enumerate(ordered)}


def _plain_ticks(axis: Any, values: list[float]) -> None:
    ticks = [tick for tick in (1, 1.5, 2, 3, 5, 8, 12, 20) if min(values) * 0.95 <= tick <= max(values) * 1.05]
    axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.set_xticks([], minor=True)


def _short(name: str) -> str:
    name = name.replace("consistency_distillation_loss", "loss").replace("right_", "")
    return name if len(name) <= 58 else name[:57] + "…"
