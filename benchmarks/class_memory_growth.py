"""Measure whether the main process of `autograder grade` grows with the class, and print one table.

    python benchmarks/class_memory_growth.py            # about 20 minutes of a quiet machine with two cores
    python benchmarks/class_memory_growth.py stand-in   # 10,000 whose marking is stood in for
    python benchmarks/class_memory_growth.py real       # 300 right answers by the real judge

One run each: memory when a first part of the class is marked and when all of it is, and the largest ever, in which the
report on the class is made. Results go to results/class_memory_growth.json and, as the table, to the .md beside it.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # the stand-in is the tests' own

from class_courses import NAME, environment, our_course, student  # noqa: E402

from autograder.sandbox.procfs import proportional_bytes, resident_bytes  # noqa: E402
from tests.fake_judge import hand_in, small_course  # noqa: E402

RESULTS = Path(__file__).parent / "results"
EVERY_SECONDS = 0.2
MIB = 1 << 20
MOST_GROWTH_MIB = 16.0  # while a class is marked; the names of the class alone are a megabyte or two
MOST_RATIO = 5.2  # of the time of the large class to that of the small one, its fifth


@dataclass
class Measured:
    """The main process at two sizes of its class."""

    date: str
    small: int
    large: int
    rss_mib: list[float] = field(default_factory=list)  # at the small size, at the large one
    pss_mib: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    peak_mib: float = 0.0  # of the resident memory, the report on the class included
    whole_seconds: float = 0.0

    @property
    def growth_mib(self) -> float:
        """What it has grown by from one size to the other."""
        return self.pss_mib[1] - self.pss_mib[0]


def stand_in(folder: Path, size: int) -> list[str]:
    """Hand in a class whose marking is replaced, and return the command that grades it."""
    course = small_course(folder / "course")
    for number in range(size):
        hand_in(course, student(number), ("fine", "partly", "broken", "nothing")[number % 4])
    return [sys.executable, "-m", "tests.fake_command", "grade", "--course", str(course), "--gradebook", "none"]


def real(folder: Path, size: int) -> list[str]:
    """Hand in a class of right answers, and return the command that grades it."""
    course = our_course(folder / "course", size)
    return [sys.executable, "-m", "autograder", "grade", "--course", str(course)]


PARTS: dict[str, tuple[Callable[[Path, int], list[str]], int, int]] = {
    "stand-in": (stand_in, 1_000, 10_000),
    "real": (real, 60, 300),
}


def measure(name: str) -> Measured:
    """Grade a class and watch its main process; raises RuntimeError with its output when it fails."""
    make, small, large = PARTS[name]
    found = Measured(datetime.now(UTC).date().isoformat(), small, large)
    with tempfile.TemporaryDirectory(prefix="class-memory-") as made, tempfile.TemporaryFile("w+") as output:
        os.chmod(made, 0o755)
        command = make(Path(made), large)
        staff = Path(made) / "course" / "results" / NAME / "staff"
        began = time.monotonic()
        process = subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=output, stderr=output)
        while process.poll() is None:
            time.sleep(EVERY_SECONDS)
            done = sum(1 for name in os.listdir(staff) if name.endswith(".json")) if staff.is_dir() else 0
            watch(process.pid, done, found)
        found.whole_seconds = time.monotonic() - began
        output.seek(0)
        if process.returncode != 0 or len(found.pss_mib) < 2:
            raise RuntimeError(f"exit {process.returncode}\n{output.read()[-3000:]}")
    found.seconds = [moment - began for moment in found.seconds]
    return found


def watch(pid: int, done: int, found: Measured) -> None:
    """Note the memory of a process at each of the two sizes, and its largest."""
    resident = resident_bytes([pid]) / MIB
    found.peak_mib = max(found.peak_mib, resident)
    if len(found.pss_mib) < 2 and done >= (found.small, found.large)[len(found.pss_mib)]:
        found.rss_mib.append(resident)
        found.pss_mib.append(proportional_bytes([pid]) / MIB)
        found.seconds.append(time.monotonic())


def table(parts: dict[str, Measured]) -> tuple[str, bool]:
    """Return the table, and whether every figure in it is reached."""
    lines = [
        "Memory of the main process of `autograder grade`, in MiB: resident, and (proportional). Measured "
        + "; ".join(f"{name}: {found.date}" for name, found in parts.items())
        + ".",
        "",
        "| class | small part marked | all marked | growth | must be | largest ever, with the report on the class |",
        "|---|---|---|---|---|---|",
    ]
    reached = True
    for name, found in parts.items():
        at = [f"{rss:.1f} ({pss:.1f})" for rss, pss in zip(found.rss_mib, found.pss_mib, strict=True)]
        fits = found.growth_mib <= MOST_GROWTH_MIB
        reached &= fits
        sizes = f"| {found.large:,} {name} | {found.small:,}: {at[0]} | {found.large:,}: {at[1]} "
        bound = f"≤ {MOST_GROWTH_MIB:g}: {'yes' if fits else 'NO'}"
        lines.append(f"{sizes}| {found.growth_mib:.1f} | {bound} | {found.peak_mib:.1f} |")
    if "real" in parts:
        first, whole = parts["real"].seconds[0], parts["real"].whole_seconds
        fits = whole / first <= MOST_RATIO
        reached &= fits
        lines += [
            "",
            f"Of the real class, {parts['real'].small} took {first:.0f} s and all {parts['real'].large} {whole:.0f} s: "
            f"{whole / first:.2f} times as long (must be ≤ {MOST_RATIO}: {'yes' if fits else 'NO'}).",
        ]
    return "\n".join(lines) + "\n", reached


def main() -> int:
    """Measure, print, write; return 0 if every figure is reached, else 1."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; by default both")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"no part {sorted(unknown)}")
    path = RESULTS / "class_memory_growth.json"
    parts = {}
    if options.parts and path.exists():
        parts = {name: Measured(**kept) for name, kept in json.loads(path.read_text(encoding="utf-8")).items()}
    for name in options.parts or PARTS:
        print(f"measuring: {name}", file=sys.stderr, flush=True)
        parts[name] = measure(name)
        text, reached = table(parts)
        path.write_text(json.dumps({each: asdict(found) for each, found in parts.items()}, indent=1) + "\n", "utf-8")
        path.with_suffix(".md").write_text(text, encoding="utf-8")
    print(text)
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
