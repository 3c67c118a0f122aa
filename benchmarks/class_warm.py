"""CPU seconds of one right submission after the other in a warm judge, and of its tensor work alone.

    python benchmarks/class_warm.py COURSE COUNT

prints, as JSON, a pair of numbers for each submission of the course but the first. Run by class_speed.py.

What is counted: this process, the keeper, and its boxes. The tensor work is what the submission's own four functions do
when they are asked what a marking asks of them in the short recipe, in this process and with nothing around it.
"""

import json
import os
import sys
import time
from contextlib import redirect_stdout
from pathlib import Path

from autograder.assignment import load_assignment
from autograder.assignments.consistency_models.prepare import PreparedTraining
from autograder.assignments.consistency_models.training.affine_steps import affine_functions
from autograder.assignments.consistency_models.training.following import Pace, Stretch
from autograder.assignments.consistency_models.training.functions import ReferenceFunctions, notebook_functions
from autograder.assignments.consistency_models.training.recipe import Points
from autograder.assignments.consistency_models.training.spread import run_answers
from autograder.intake.submission import read_submission
from autograder.judge.judge import Judge
from autograder.settings import Settings

TICKS = os.sysconf("SC_CLK_TCK")


def keeper_seconds(pid: int) -> float:
    """Return the CPU seconds of a keeper and of the boxes that it has reaped."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / TICKS


def tensor_seconds(reference: PreparedTraining, notebook: Path) -> float:
    """Return the CPU seconds of the short recipe's tensor work, with the functions of a notebook."""
    with redirect_stdout(sys.stderr):  # some answers print
        cells = read_submission(notebook, reference.assignment).cells
        namespace = run_answers(reference.assignment, [cell.source for cell in cells])
        with_networks = notebook_functions(namespace, reference.teacher, reference.recipe)
        with_affine_maps = affine_functions(namespace, reference.recipe)
        path, pace, step, seconds = reference.path, Pace(), 0, 0.0
        while left := reference.recipe.steps - step:
            steps = path.stretch(step, count := pace.count(left), pace.with_networks)
            began = time.process_time()
            ask(with_networks if pace.with_networks else with_affine_maps, steps, reference.recipe.decay)
            seconds += time.process_time() - began
            pace.turn()
            step += count
        return seconds


def ask(functions: ReferenceFunctions, steps: Stretch, decay: float) -> None:
    """Make the calls of a stretch of steps."""
    given = steps.batches
    for step in range(len(steps.gradient)):
        online, target, moved, before = (
            rows.stack[rows.first + step] for rows in (steps.online, steps.target, steps.moved, steps.before)
        )
        t_n1, t_n = given.t_n1[step], given.t_n[step]
        functions.noisy_sample(given.x_0[step], given.epsilon[step], t_n1)
        functions.teacher_ode_step(steps.x_tn1[step], t_n1, t_n)
        functions.gradient(online, target, Points(steps.x_tn1[step], t_n1, steps.x_hat_tn[step], t_n))
        functions.ema_update(moved, before, decay)


def main() -> None:
    """Measure each submission, the tensor work right behind it."""
    course, count = Path(sys.argv[1]), int(sys.argv[2])
    assignment = load_assignment(course)
    reference = PreparedTraining(assignment)
    reference.complete()
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
