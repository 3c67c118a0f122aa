"""Turns the measurements of class_speed.py into its table."""

import statistics
from dataclasses import dataclass
from functools import partial


@dataclass(frozen=True)
class Row:
    """One figure: what was measured on both sides, and what it must reach."""

    figure: str
    measured: str
    value: float
    limit: float
    at_least: bool = False

    @property
    def reached(self) -> bool:
        """Whether the figure is what it must be."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def line(self) -> str:
        """Return the row of the table."""
        bound = f"{'≥' if self.at_least else '≤'} {self.limit:g}"
        return f"| {self.figure} | {self.measured} | {self.value:.2f} | {bound} | {'yes' if self.reached else 'NO'} |"


def median(runs: list[dict[str, float]], what: str = "wall") -> float:
    """Return the median of one measurement."""
    return statistics.median(run[what] for run in runs)


def stock_seconds(runs: dict[str, list], sizes: dict[str, int]) -> float:
    """Return a stock nbgrader's seconds for a class, extrapolated from one student and from a sample of it."""
    one, all_ = median(runs["one"]), median(runs["all"])
    return one + (sizes["students"] - 1) * (all_ - one) / (sizes["stock_students"] - 1)


def stock_rows(figure: str, limit: float, runs: dict[str, list], sizes: dict[str, int]) -> list[Row]:
    """Return submissions per minute beside a stock nbgrader's."""
    size = sizes["students"]
    ours, theirs = 60 * size / median(runs["ours"]), 60 * size / stock_seconds(runs, sizes)
    return [Row(figure.format(size=size), f"{ours:.1f} / {theirs:.2f}", ours / theirs, limit, at_least=True)]


def workers_rows(runs: dict[str, list], sizes: dict[str, int]) -> list[Row]:
    """Return what a second worker brings."""
    one, two = median(runs["one"]), median(runs["two"])
    whole = Row(
        f"1 worker to 2 workers, class of {sizes['students']}", f"{one:.1f} s / {two:.1f} s", one / two, 1.85, True
    )
    one, two = median(runs["one"], "report"), median(runs["two"], "report")
    each = "from one report to the next, without start and end"
    return [whole, Row(f"the same, {each}", f"{one:.2f} s / {two:.2f} s", one / two, 1.85, True)]


def cold_rows(runs: dict[str, list], sizes: dict[str, int]) -> list[Row]:
    """Return what a cold start costs."""
    score, stock, torch = (median(runs[name]) for name in ("score", "stock", "torch"))
    allowed = 2.5 * torch + 4
    return [
        Row("one cold `autograder score` / one stock autograde", f"{score:.1f} s / {stock:.1f} s", score / stock, 0.25),
        Row("the same / (2.5 × `import torch` + 4 s)", f"{score:.1f} s / {allowed:.1f} s", score / allowed, 1.0),
    ]


def warm_rows(runs: dict[str, list], sizes: dict[str, int]) -> list[Row]:
    """Return the CPU seconds of a submission."""
    found = runs["submissions"]
    cpu, tensor = median(found, "cpu"), median(found, "tensor")
    outside = statistics.median(run["cpu"] - run["tensor"] for run in found)
    return [
        Row("CPU seconds a right submission beyond the first", f"{len(found)} submissions", cpu, 2.5),
        Row("of which outside tensor work", f"tensor work alone {tensor:.2f} s", outside, 1.5),
    ]


def memory_rows(runs: dict[str, list], sizes: dict[str, int]) -> list[Row]:
    """Return what a worker has for itself."""
    found = runs["private_mib"]
    each = ", ".join(f"{mib:.0f}" for mib in found)
    return [Row("private memory of a worker, judge and keeper, MB", f"MiB: {each}", max(found) * 1.048576, 350)]


def scale_rows(runs: dict[str, list], sizes: dict[str, int]) -> list[Row]:
    """Return how the wall time grows with the class."""
    small, large = median(runs["small"]), median(runs["large"])
    figure = f"{sizes['large']} submissions / {sizes['small']} submissions, wall"
    return [Row(figure, f"{large:.1f} s / {small:.1f} s", large / small, 5.2)]


ROWS = {
    "stock": partial(stock_rows, "class of {size}, 2 workers: submissions per minute, ours / stock", 20),
    "short": partial(stock_rows, "the same against stock given the cached teacher and the short recipe", 6),
    "lean": partial(stock_rows, "the same against that stock, without any cell that grades nothing", 1),
    "warm": warm_rows,
    "cold": cold_rows,
    "workers": workers_rows,
    "memory": memory_rows,
    "scale": scale_rows,
}


def table(report: dict) -> tuple[str, bool]:
    """Return the whole table as Markdown, and whether every figure in it is reached."""
    parts = report["parts"]
    found = {name: make(parts[name]["runs"], parts[name]["sizes"]) for name, make in ROWS.items() if name in parts}
    rows = [row for rows in found.values() for row in rows]
    versions = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
    sample = next((part["sizes"]["stock_students"] for name, part in parts.items() if name == "stock"), 0)
    lines = [
        f"{report['machine']}; {versions}. Medians; measured "
        + "; ".join(f"{name}: {part['date']}{' (quick)' if part['quick'] else ''}" for name, part in parts.items())
        + ".",
        "",
        "| figure | measured | value | must be | reached |",
        "|---|---|---|---|---|",
        *(row.line() for row in rows),
    ]
    if sample:
        lines += ["", f"Stock nbgrader marked {sample} of these submissions; the rest of its class is extrapolated."]
    return "\n".join(lines) + "\n", all(row.reached for row in rows)
