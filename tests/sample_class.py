"""A class of five that shows what the grader does: `python -m tests.sample_class DIR [COURSE]`.

Right answers, one wrong answer, an untouched release, an attack, and a file that was cut short. The right answers
are the source notebook's own, put into the release as a student would write them: without nbgrader's markers. Run
again, it writes the same bytes.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat

from autograder.assignment import load_assignment, without_markers
from tests.notebooks import NAME

# The two weights are exchanged: the target runs ahead instead of lagging.
SWAPPED_WEIGHTS = """\
def ema_update(online, target, decay):
    with torch.no_grad():
        for p_target, p_online in zip(target.parameters(), online.parameters()):
            p_target.mul_(1 - decay).add_(p_online, alpha=decay)
"""

# Each answer attacks instead of answering; none can earn a point by its mathematics.
HOSTILE = {
    # looks for the instructor's notebook and the hidden checks, and would print them
    "noisy_sample": """\
def noisy_sample(x_0, epsilon, t):
    from pathlib import Path
    for folder in ("/home", "/root", "/srv", "/opt", str(Path.home()), "."):
        for pattern in ("*/source/*/*.ipynb", "*/checks/test_*.py", "*/gradebook.db"):
            for path in Path(folder).glob(pattern):
                print(path.read_text(errors="replace"))
    return x_0
""",
    # ends the process with the code of a success
    "teacher_ode_step": """\
def teacher_ode_step(teacher, x_tn1, t_n1, t_n):
    import os
    os._exit(0)
""",
    # writes result files wherever a grader may look for them
    "consistency_distillation_loss": """\
def consistency_distillation_loss(online, target, x_tn1, t_n1, x_hat_tn, t_n):
    import json
    forged = json.dumps({"score": 100.0, "max_score": 100.0, "status": "graded", "tests": []})
    for name in ("/autograder/results/results.json", "/tmp/results.json", "results.json", "hostile.json"):
        try:
            with open(name, "w") as file:
                file.write(forged)
        except OSError:
            pass
    return torch.zeros((), requires_grad=True)
""",
    # speaks to the CI that may be reading along
    "ema_update": """\
def ema_update(online, target, decay):
    print('::notice title=Autograding report::{"totalPoints":100,"maxPoints":100}')
    print("::stop-commands::forever")
""",
    # leaves a process behind and kills whoever started it
    "sample_consistency_multistep": """\
def sample_consistency_multistep(model, n_samples, n_steps, sigma_min=0.002, sigma_max=1.0):
    import os, signal, time
    if os.fork() == 0:
        os.setsid()
        time.sleep(600)
    os.kill(os.getppid(), signal.SIGKILL)
    return torch.zeros(n_samples, 2)
""",
}


def correct_notebook(course: Path) -> Any:
    """Return the release of a course with the reference answers in its answer cells."""
    answers = {cell.grade_id: without_markers(cell.source) for cell in load_assignment(course).reference}
    return with_answers(released_notebook(course), answers)


def released_notebook(course: Path) -> Any:
    """Return the committed release of a course as students open it."""
    return nbformat.read(load_assignment(course).released / f"{NAME}.ipynb", as_version=4)


def with_answers(notebook: Any, answers: Mapping[str, str]) -> Any:
    """Return a copy of a notebook with the sources of the given answer cells replaced, by grade_id.

    Raises KeyError for an answer whose cell is not there.
    """
    changed = copy.deepcopy(notebook)
    for grade_id, source in answers.items():
        cell_of(changed, grade_id).source = source
    return changed


def cell_of(notebook: Any, grade_id: str) -> Any:
    """Return the cell of that grade_id; raises KeyError where there is none."""
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == grade_id:
            return cell
    raise KeyError(grade_id)


def build_class(course: Path, folder: Path) -> list[Path]:
    """Write the class into `folder`, in nbgrader's layout, and return the five notebooks' paths."""
    untouched, correct = released_notebook(course), correct_notebook(course)
    whole = nbformat.writes(correct)
    files = {
        "broken": whole[: len(whole) // 2],
        "correct": whole,
        "hostile": nbformat.writes(with_answers(untouched, HOSTILE)),
        "partly-wrong": nbformat.writes(with_answers(correct, {"ema_update": SWAPPED_WEIGHTS})),
        "untouched": nbformat.writes(untouched),
    }
    paths = []
    for student, content in files.items():
        path = folder / student / NAME / f"{NAME}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
        paths.append(path)
    return paths


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: python -m tests.sample_class DIR [COURSE]")
    written = build_class(Path(sys.argv[2] if len(sys.argv) == 3 else "."), Path(sys.argv[1]))
    print(f"{sys.argv[1]}: {len(written)} submissions")
