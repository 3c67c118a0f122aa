"""What cells of a student's own cost: the reference's notebook with and without them, in turns, in one warm judge.

    python benchmarks/own_cells.py

prints medians of processor seconds for each notebook, their ratio to the plain one's beside them, and the seconds that
the report gives to cells. Exits with 1 where a notebook costs more than 1.3 times a plain one and its cells' own time.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # the notebooks are the tests'

from class_warm import keeper_seconds

from autograder.judge.judge import Judge
from autograder.settings import Settings
from tests import notebooks

PAIRS = 5
LIMIT = 1.3
TRAINING = """
net = torch.nn.Linear(2, 2)
optimiser = torch.optim.Adam(net.parameters())
for _ in range(300):
    optimiser.zero_grad()
    net(torch.randn(64, 2)).square().mean().backward()
    optimiser.step()
"""
OWN_CELLS = {
    "one optimiser": (["torch.optim.Adam([torch.nn.Parameter(torch.ones(2))])"], 0.0),
    "300 training steps": ([TRAINING], 0.0),
    "a cell of 5 s": (["import time\ntime.sleep(5)"], 5.0),
    "ten cells of 1 s": (["import time\ntime.sleep(1)"] * 10, 10.0),
}


def marked(judge: Judge, path: Path) -> tuple[float, float, float]:
    """Mark a notebook; return processor seconds, wall seconds, and the cells' seconds."""
    keeper = judge._usable_keeper()
    keeper.wait_ready()
    began, started = time.process_time() + keeper_seconds(keeper.pid), time.monotonic()
    report = judge.mark(path, "x")
    if report.score != report.max_score:
        raise ValueError(report.to_json())
    wall = time.monotonic() - started
    return time.process_time() + keeper_seconds(keeper.pid) - began, wall, float(str(report.staff["cells_seconds"]))


def main() -> int:
    """Measure each notebook in pairs with a plain one."""
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder, Judge(notebooks.assignment(), Settings()) as judge:
        plain = notebooks.write(notebooks.reference_notebook(), Path(folder, "plain"))
        marked(judge, plain)
        for name, (cells, seconds) in OWN_CELLS.items():
            notebook = notebooks.reference_notebook()
            for source in cells:
                notebooks.add_code(notebook, source)
            path = notebooks.write(notebook, Path(folder, name.replace(" ", "-")))
            marked(judge, path)  # pays for what the keeper imports, once in a worker
            pairs = [(marked(judge, plain), marked(judge, path)) for _ in range(PAIRS)]
            (cpu, wall, _), (own_cpu, own_wall, in_cells) = (
                tuple(map(statistics.median, zip(*side, strict=True))) for side in zip(*pairs, strict=True)
            )
            ratio = max(own_cpu / cpu, (own_wall - seconds) / wall)
            worst = max(worst, ratio)
            print(
                f"{name:20} plain {cpu:.2f} s of CPU, {wall:.2f} s in all; with it {own_cpu:.2f} and {own_wall:.2f}, "
                f"of which {in_cells:.1f} in cells; ratio {ratio:.2f}"
            )
    return int(worst > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
