"""Makes what class_speed.py measures: a class of right answers, and the courses in which the graders find it."""

import copy
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook

from autograder.assignment import load_assignment
from autograder.grading.recorded_answers import Record, load_bank

ROOT = Path(__file__).resolve().parents[1]
NAME = "consistency-models"
NOTEBOOK = f"{NAME}.ipynb"
# Right answers whose own mathematics costs many times what an ordinary one costs: they would measure themselves.
ODD = ("loop_over_rows", "recursion", "thread_pool", "vmap_rows", "asynchronous")
# The notebook's own cells, by grade_id, in the forms that cost a grader least.
CACHED_TEACHER = """\
torch.set_num_threads(1)
teacher = ToyModel()
with np.load({weights!r}) as file:
    teacher.load_state_dict({{name: torch.from_numpy(file["teacher." + name]) for name in teacher.state_dict()}})
teacher.eval().requires_grad_(False)
"""
SHORT_RECIPE = (  # cell, what stands there, what it becomes
    ("recipe", "n_steps: int = 2000", "n_steps: int = 500"),
    ("recipe", "batch_size: int = 128", "batch_size: int = 64"),
    ("recipe", "interval_counts: tuple = (10, 20, 40)", "interval_counts: tuple = (20,)"),
    ("recipe", "hidden_dim: int = 128", "hidden_dim: int = 64"),
    ("distillation", ", backbone=teacher", ""),  # a smaller network cannot start from the teacher's weights
    ("bonus_recipe", "Recipe(n_steps=1000, interval_counts=(10, 20))", "Recipe()"),
)
UNGRADED = ("short_recipes", "ema_sweep", "ema_figure", "bonus_recipe", "bonus_run", "bonus_figure")


def styles() -> dict[str, list[Record | None]]:
    """Return for each task the answers that are right, the reference's own (None) first."""
    found: dict[str, list[Record | None]] = {cell.grade_id: [None] for cell in load_assignment(ROOT).reference}
    for record in load_bank(load_assignment(ROOT)):
        if record.kind == "right" and not record.after and not any(odd in record.name for odd in ODD):
            found[record.task].append(record)
    return found


def write_class(course: Path, size: int) -> None:
    """Hand in `size` right notebooks, each made of other styles, from the release of a course."""
    reference = {cell.grade_id: cell.source for cell in load_assignment(ROOT).reference}
    released = nbformat.read(course / "release" / NAME / NOTEBOOK, as_version=4)
    known = styles()
    for number in range(size):
        notebook = copy.deepcopy(released)
        for task, records in known.items():
            record = records[number % len(records)]
            _answer(notebook, task, reference[task] if record is None else record.answer, record)
        notebook.cells.append(nbformat.v4.new_markdown_cell(f"Handed in by student {number}."))
        folder = course / "submitted" / student(number) / NAME
        folder.mkdir(parents=True)
        nbformat.write(notebook, folder / NOTEBOOK)


def student(number: int) -> str:
    """Return the name of a student."""
    return f"student-{number:03d}"


def _answer(notebook: nbformat.NotebookNode, task: str, source: str, record: Record | None) -> None:
    ids = [cell.metadata.get("nbgrader", {}).get("grade_id") for cell in notebook.cells]
    notebook.cells[ids.index(task)].source = source
    if record is not None and record.before:
        notebook.cells.insert(ids.index("noisy_sample"), nbformat.v4.new_code_cell(record.before))


def our_course(folder: Path, size: int) -> Path:
    """Make a course as this repository's, with a class in it."""
    for name in ("source", "release"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    write_class(folder, size)
    return folder


def stock_course(folder: Path, size: int, kind: str) -> Path:
    """Make a course for a stock nbgrader: its own Execute runs the notebook, and the hidden checks in its kernel.

    `kind` is "as it is", "short" (teacher from a file, every training by the short recipe) or "lean" (also without the
    cells that grade nothing: no training but the one that is marked, no figure).
    """
    settings = (ROOT / "nbgrader_config.py").read_text(encoding="utf-8").splitlines()
    folder.mkdir(parents=True)
    stock = [line for line in settings if "configure" not in line]
    (folder / "nbgrader_config.py").write_text("\n".join(stock), encoding="utf-8")
    notebook = nbformat.read(ROOT / "source" / NAME / NOTEBOOK, as_version=4)
    if kind != "as it is":
        for cell in notebook.cells:
            cell.source = _short(cell.id, cell.source)
    if kind == "lean":
        notebook.cells = [cell for cell in notebook.cells if not _grades_nothing(cell)]
    (folder / "source" / NAME).mkdir(parents=True)
    nbformat.write(notebook, folder / "source" / NAME / NOTEBOOK)
    nbgrader(folder, "generate_assignment", NAME)
    write_class(folder, size)
    return folder


def _short(name: str, source: str) -> str:
    if name == "teacher":
        return CACHED_TEACHER.format(weights=str(ROOT / "autograder" / "checks" / "teacher.npz"))
    for cell, usual, short in SHORT_RECIPE:
        if cell == name and usual not in source:
            raise ValueError(f"cell '{name}' no longer holds '{usual}': correct SHORT_RECIPE")
        source = source.replace(usual, short) if cell == name else source
    return source


def _grades_nothing(cell: nbformat.NotebookNode) -> bool:
    return cell.cell_type == "code" and (
        cell.id in UNGRADED or "figure" in cell.id or cell.id in ("distance_curve", "sliced_w2") or cell.id[:2] == "ex"
    )


def nbgrader(folder: Path, *words: str) -> None:
    """Run a stock nbgrader command in a course folder; raises RuntimeError with its log when it fails."""
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *words], cwd=folder, env=environment(), capture_output=True, text=True
    )
    if done.returncode != 0:
        raise RuntimeError(f"nbgrader {' '.join(words)} failed in {folder}:\n{done.stderr[-3000:]}")


def environment() -> dict[str, str]:
    """Return the environment of the commands that are measured: this repository, this environment's programs."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


def stock_scores(course: Path) -> list[float]:
    """Return the automatic points of every submission that a stock nbgrader has marked, without the bonus."""
    bonus = {f"test_{task.id}" for task in load_assignment(ROOT).tasks if task.bonus}
    with Gradebook(f"sqlite:///{course}/gradebook.db") as book:
        submissions = book.assignment_submissions(NAME)
        return [
            sum(grade.auto_score or 0.0 for grade in book.find_submission_notebook(NAME, NAME, each.student_id).grades
                if grade.name not in bonus)
            for each in submissions
        ]  # fmt: skip
