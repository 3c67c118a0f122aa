"""Measure what marking a class costs, side by side with a stock nbgrader, and print one table.

    python benchmarks/class_speed.py            # the whole table; about 40 minutes of a quiet machine with two cores
    python benchmarks/class_speed.py --quick    # a smaller class, each pair once; about 8 minutes
    python benchmarks/class_speed.py --quick cold warm    # these parts only; the table keeps the others
    python benchmarks/class_speed.py --rounds 1 workers    # a class of full size, each pair once

Every pair of figures is measured in turns, since a machine is never the same for long. Results go to
results/class_speed.json and, as the table, to results/class_speed.md.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from importlib import metadata
from pathlib import Path

import torch
from class_courses import NAME, NOTEBOOK, environment, our_course, stock_course, stock_scores, student
from class_memory import Sampler
from class_report import table

RESULTS = Path(__file__).parent / "results"
BIN = Path(sys.executable).parent
TORCH = ("-c", "import torch")  # what every judge pays before it does anything


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    students: int = 40
    stock_students: int = 4  # a stock nbgrader takes half a minute for each; the rest of the class is extrapolated
    rounds: int = 3
    small: int = 60
    large: int = 300
    warm: int = 20


QUICK = Sizes(students=10, stock_students=2, rounds=1, small=8, large=40, warm=5)


class Bench:
    """The courses that are measured in, in one temporary folder, and the measurements."""

    def __init__(self, folder: Path, sizes: Sizes) -> None:
        self.folder = folder
        self.sizes = sizes
        self._made: dict[str, Path] = {}

    def ours(self, size: int) -> Path:
        """Return a course of ours with a class of that size."""
        return self._course(f"ours-{size}", lambda path: our_course(path, size))

    def stock(self, kind: str) -> Path:
        """Return a stock course of that kind."""
        return self._course(f"stock-{kind}", lambda path: stock_course(path, self.sizes.stock_students, kind))

    def _course(self, name: str, make: Callable[[Path], Path]) -> Path:
        if name not in self._made:
            self._made[name] = make(self.folder / name)
        return self._made[name]

    def grade(self, size: int, workers: int, watch: list[float] | None = None) -> dict[str, float]:
        """Mark a class of that size and return wall and CPU seconds, and the wall seconds from one report to the next.

        Every mark must be full. The last is without the end and the start, up to the first report of each worker.
        """
        course = self.ours(size)
        out = course / "results" / NAME
        shutil.rmtree(out, ignore_errors=True)
        found = timed("autograder", "grade", "--workers", str(workers), cwd=course, watch=watch)
        scores = [json.loads(path.read_text())["score"] for path in out.glob("student-*.json")]
        if scores != [100.0] * size:
            raise RuntimeError(f"not every right answer got full marks: {sorted(scores)[:5]}, {len(scores)} of {size}")
        written = sorted(path.stat().st_mtime for path in (out / "staff").glob("student-*.json"))
        return {**found, "report": (written[-1] - written[workers - 1]) / (size - workers)}

    def autograde(self, kind: str, one: bool = False) -> dict[str, float]:
        """Let a stock nbgrader mark its sample of the class, or one student of it; return wall and CPU seconds."""
        course = self.stock(kind)
        who = ("--student", student(0)) if one else ()
        found = timed("nbgrader", "autograde", NAME, "--force", *who, cwd=course)
        if not one and stock_scores(course) != [100.0] * self.sizes.stock_students:
            print(f"note: stock nbgrader ({kind}) gave {stock_scores(course)}", file=sys.stderr)
        return found


def timed(command: str, *words: str, cwd: Path, watch: list[float] | None = None) -> dict[str, float]:
    """Run a command and return its wall and CPU seconds; raises RuntimeError with its output when it fails.

    With `watch` the private memory of each worker is added to that list.
    """
    before, began = os.times(), time.monotonic()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            [str(BIN / command), *words], cwd=cwd, env=environment(), stdout=output, stderr=output
        )
        if watch is not None:
            with Sampler(process.pid) as sampler:
                process.wait()
            watch += sampler.workers_mib()
        process.wait()
        after, ended = os.times(), time.monotonic()
        if process.returncode != 0:
            output.seek(0)
            raise RuntimeError(f"{command} {' '.join(words)}: exit {process.returncode}\n{output.read()[-3000:]}")
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return {"wall": ended - began, "cpu": cpu}


def against_stock(bench: Bench, kind: str) -> dict[str, list]:
    """A class with two workers beside a stock nbgrader's sample of it."""
    runs: dict[str, list] = {"ours": [], "one": [], "all": []}
    for _ in range(bench.sizes.rounds):
        runs["ours"].append(bench.grade(bench.sizes.students, 2))
        runs["one"].append(bench.autograde(kind, one=True))
        runs["all"].append(bench.autograde(kind))
    return runs


def workers(bench: Bench) -> dict[str, list]:
    """The same class with one worker and with two."""
    runs: dict[str, list] = {"one": [], "two": []}
    for _ in range(bench.sizes.rounds):
        runs["two"].append(bench.grade(bench.sizes.students, 2))
        runs["one"].append(bench.grade(bench.sizes.students, 1))
    return runs


def cold(bench: Bench) -> dict[str, list]:
    """One `autograder score` beside one stock autograde and beside the import of torch alone."""
    course = bench.ours(bench.sizes.students)
    notebook = course / "submitted" / student(0) / NAME / NOTEBOOK
    runs: dict[str, list] = {"torch": [], "score": [], "stock": []}
    for number in range(bench.sizes.rounds + 1):
        for _ in range(2):
            torch_alone = timed(Path(sys.executable).name, *TORCH, cwd=course)
            score = timed("autograder", "score", str(notebook), cwd=course)
            if number:  # the first round only fills the disk's cache
                runs["torch"].append(torch_alone)
                runs["score"].append(score)
        if number:
            runs["stock"].append(bench.autograde("as it is", one=True))
    return runs


def warm(bench: Bench) -> dict[str, list]:
    """CPU seconds a submission in a warm judge, in all and for the tensor work alone."""
    course = bench.ours(bench.sizes.students)
    count = min(bench.sizes.warm, bench.sizes.students - 1)
    program = Path(__file__).parent / "class_warm.py"
    done = subprocess.run(
        [sys.executable, str(program), str(course), str(count)], env=environment(), capture_output=True, text=True
    )
    if done.returncode != 0:
        raise RuntimeError(done.stderr[-3000:])
    return {
        "submissions": [dict(zip(("cpu", "tensor", "score"), each, strict=True)) for each in json.loads(done.stdout)]
    }


def memory(bench: Bench) -> dict[str, list]:
    """What each worker, judge and keeper, has for itself while it marks."""
    found: list[float] = []
    bench.grade(bench.sizes.small, 2, watch=found)
    return {"private_mib": found}


def scale(bench: Bench) -> dict[str, list]:
    """A large class beside a small one."""
    runs: dict[str, list] = {"small": [], "large": []}
    runs["small"].append(bench.grade(bench.sizes.small, 2))
    runs["large"].append(bench.grade(bench.sizes.large, 2))
    runs["small"].append(bench.grade(bench.sizes.small, 2))
    return runs


PARTS: dict[str, Callable[[Bench], dict[str, list]]] = {
    "stock": partial(against_stock, kind="as it is"),
    "short": partial(against_stock, kind="short"),
    "lean": partial(against_stock, kind="lean"),
    "workers": workers,
    "cold": cold,
    "warm": warm,
    "memory": memory,
    "scale": scale,
}


def stored(results: Path) -> dict[str, dict]:
    """Return the parts that were measured before; none where nothing is stored."""
    try:
        return json.loads(results.read_text(encoding="utf-8"))["parts"]
    except FileNotFoundError:
        return {}


def main() -> int:
    """Measure, print, write; return 0 if every figure is reached, else 1."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; by default all of them")
    parser.add_argument("--quick", action="store_true", help="a smaller class, each pair once")
    parser.add_argument("--rounds", type=int, metavar="N", help="how often each pair is measured (default: 3)")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"no part {sorted(unknown)}")
    sizes = QUICK if options.quick else Sizes()
    sizes = replace(sizes, rounds=options.rounds or sizes.rounds)
    parts = stored(RESULTS / "class_speed.json") if options.parts else {}
    reached = True
    with tempfile.TemporaryDirectory(prefix="class-speed-") as folder:
        os.chmod(folder, 0o755)
        bench = Bench(Path(folder), sizes)
        for name in options.parts or PARTS:
            print(f"measuring: {name}", file=sys.stderr, flush=True)
            runs = PARTS[name](bench)
            measured = {"date": datetime.now(UTC).date().isoformat(), "quick": options.quick}
            parts[name] = {**measured, "sizes": vars(sizes), "runs": runs}
            reached = write(parts)
    return 0 if reached else 1


def write(parts: dict[str, dict]) -> bool:
    """Write what is measured so far, and print the table; returns whether every figure in it is reached."""
    path = RESULTS / "class_speed.json"
    report = {
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "nbgrader": metadata.version("nbgrader"),
        },
        "parts": {name: parts[name] for name in PARTS if name in parts},
    }
    text, reached = table(report)
    print(text)
    path.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    path.with_suffix(".md").write_text(text, encoding="utf-8")
    return reached


if __name__ == "__main__":
    sys.exit(main())
