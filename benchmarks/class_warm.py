"""CPU seconds of one right submission after the other in a warm judge, and of its tensor work alone.

    python benchmarks/class_warm.py COURSE COUNT

prints, as JSON, a pair of numbers for each submission of the course but the first. Run by class_speed.py.

What is counted: this process, the keeper, and its boxes. The tensor work is the short recipe trained from the same
weights on the same batches by the submission's own four functions, in this process and with nothing around it.
"""

import json
import os
import sys
import time
from contextlib import redirect_stdout
from pathlib import Path

from autograder.assignment import load_assignment
from autograder.box.cells import Cells
from autograder.box.notebook import furnish
from autograder.functions import ReferenceFunctions
from autograder.judge import Judge
from autograder.quality import Reference, run_cells
from autograder.settings import Settings
from autograder.submission import read_submission
from autograder.training import Progress, train

TICKS = os.sysconf("SC_CLK_TCK")


def keeper_seconds(pid: int) -> float:
    """Return the CPU seconds of a keeper and of the boxes that it has reaped."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / TICKS


def tensor_seconds(reference: Reference, notebook: Path) -> float:
    """Return the CPU seconds of the short recipe's tensor work, with the functions of a notebook."""
    namespace = run_cells(reference.assignment, [])
    furnish(namespace)
    cells = Cells(namespace, sorted(reference.assignment.elsewhere))
    with redirect_stdout(sys.stderr):  # some answers print
        for cell in read_submission(notebook, reference.assignment).cells:
            cells.run(cell.number, cell.source)
        functions = ReferenceFunctions(namespace, reference.teacher, reference.recipe)
        began = time.process_time()
        train(functions, reference.batches, Progress(reference.recipe, reference.start))
        return time.process_time() - began


def main() -> None:
    """Measure each submission, the tensor work right behind it."""
    course, count = Path(sys.argv[1]), int(sys.argv[2])
    assignment = load_assignment(course)
    reference = Reference(assignment)
    reference.prepare()
    found = []
    with Judge(assignment, Settings()) as judge:
        for number, notebook in enumerate(sorted((course / "submitted").glob("*/*/*.ipynb"))[: count + 1]):
            keeper = judge._usable_keeper()
            keeper.wait_ready()
            began = time.process_time() + keeper_seconds(keeper.pid)
            report = judge.mark(notebook, f"student-{number}")
            total = time.process_time() + keeper_seconds(keeper.pid) - began
            if number:  # the first one pays for the reference's own run
                found.append((total, tensor_seconds(reference, notebook), report.score))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
