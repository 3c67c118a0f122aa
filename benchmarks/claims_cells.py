"""The notebook's own cells, run as they are: what is measured is what a student runs."""

import ast
import hashlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOK = ROOT / "source" / "consistency-models" / "consistency-models.ipynb"
# Given cells that define what is measured, in the notebook's order; `endpoint_error` needs a teacher.
GIVEN_CELLS = ("endpoint_error", "recipe", "training_loop", "distillation_pair", "short_recipes", "bonus_recipe")


@lru_cache(maxsize=1)
def notebook_cells() -> list:
    """Return the notebook's cells, read once: an edit during a long run must not change what is measured."""
    return nbformat.read(NOTEBOOK, as_version=4).cells


def is_prelude(cell: nbformat.NotebookNode) -> bool:
    """Return whether a cell is part of the prelude."""
    return "prelude" in cell.metadata.get("tags", [])


def is_answer(cell: nbformat.NotebookNode) -> bool:
    """Return whether a cell holds a reference answer."""
    return cell.metadata.get("nbgrader", {}).get("solution", False)


def is_given(cell: nbformat.NotebookNode) -> bool:
    """Return whether a cell is one of GIVEN_CELLS."""
    return cell.id in GIVEN_CELLS


def run_cells(namespace: dict, wanted: Callable) -> None:
    """Execute the notebook's code cells for which wanted(cell) is true, in order."""
    for cell in notebook_cells():
        if cell.cell_type == "code" and wanted(cell):
            exec(compile(cell.source, cell.id, "exec"), namespace)  # noqa: S102 - our own notebook


def load_notebook() -> dict:
    """Return a namespace with the prelude's names and the reference answers."""
    namespace: dict = {}
    run_cells(namespace, is_prelude)
    run_cells(namespace, is_answer)
    return namespace


def load_with_teacher(seed: int) -> dict:
    """Return that namespace with the teacher of a seed and the given cells."""
    namespace = load_notebook()
    namespace["teacher"] = namespace["train_teacher"](seed)
    run_cells(namespace, is_given)
    return namespace


def fingerprint() -> str:
    """Return a hash of the code that a measurement runs, so that stored runs of other code are not mixed in."""
    used = [cell.source for cell in notebook_cells() if is_prelude(cell) or is_given(cell)]
    used += [cell.source for cell in notebook_cells() if cell.cell_type == "code" and is_answer(cell)]
    return hashlib.sha256("\n".join(ast.unparse(ast.parse(source)) for source in used).encode()).hexdigest()
