"""Notebooks as students hand them in, derived from the instructor's own; nothing of it is typed a second time."""

from __future__ import annotations

import copy
import functools
from collections.abc import Mapping
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.preprocessors import ClearHiddenTests, ClearSolutions
from traitlets.config import Config, PyFileConfigLoader

from autograder.assignment import Assignment, load_assignment, without_markers

COURSE = Path(__file__).resolve().parent.parent
NAME = "consistency-models"
FILE = f"{NAME}.ipynb"


@functools.cache
def assignment() -> Assignment:
    """Return the assignment of this repository."""
    return load_assignment(COURSE)


def source_notebook() -> NotebookNode:
    """Return the instructor's notebook, answers and hidden tests and all."""
    return copy.deepcopy(_source())


def blank_notebook() -> NotebookNode:
    """Return the notebook as a student gets it: nbgrader's stubs for answers, no hidden tests."""
    return copy.deepcopy(_blank())


def student_notebook(answers: Mapping[str, str]) -> NotebookNode:
    """Return the blank notebook with the answer cells of these tasks filled in."""
    notebook = blank_notebook()
    for task_id, source in answers.items():
        cell(notebook, task_id).source = source
    return notebook


def reference_notebook(changes: Mapping[str, str] | None = None) -> NotebookNode:
    """Return the notebook of a student who answers as the reference does, but for these tasks."""
    return student_notebook({**reference_answers(), **(changes or {})})


def reference_answers() -> dict[str, str]:
    """Return the reference's answer cells by task, without the marker lines."""
    return {cell.grade_id: without_markers(cell.source) for cell in assignment().reference}


def cell(notebook: NotebookNode, grade_id: str) -> NotebookNode:
    """Return the cell of that grade_id."""
    return next(c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == grade_id)


def index(notebook: NotebookNode, grade_id: str) -> int:
    """Return the position, from 0, of the cell of that grade_id."""
    return notebook.cells.index(cell(notebook, grade_id))


def add_code(notebook: NotebookNode, source: str, before: str = "noisy_sample") -> NotebookNode:
    """Insert a code cell of the student's own before the cell of a grade_id; returns the notebook."""
    notebook.cells.insert(index(notebook, before), nbformat.v4.new_code_cell(source))
    return notebook


def strip_metadata(notebook: NotebookNode) -> NotebookNode:
    """Drop what Colab and VS Code drop: every cell's metadata; returns the notebook."""
    for each in notebook.cells:
        each.metadata = NotebookNode()
    return notebook


def write(notebook: NotebookNode, folder: Path, name: str = FILE) -> Path:
    """Write a notebook into a folder, which is made; returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(nbformat.writes(notebook), encoding="utf-8")
    return path


@functools.cache
def _source() -> NotebookNode:
    return nbformat.read(COURSE / "source" / NAME / FILE, as_version=4)


@functools.cache
def _blank() -> NotebookNode:
    notebook = copy.deepcopy(_source())
    for preprocessor in (ClearSolutions, ClearHiddenTests):
        notebook, _ = preprocessor(config=_nbgrader_config()).preprocess(notebook, {})
    return notebook


def _nbgrader_config() -> Config:
    return PyFileConfigLoader("nbgrader_config.py", path=str(COURSE)).load_config()
