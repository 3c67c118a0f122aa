"""Cells that name scikit-learn and matplotlib, run without importing them."""

from __future__ import annotations

import subprocess
import sys

from tests import notebooks

PRELUDE = """
import sys
from pathlib import Path
from autograder.assignment import load_assignment
from autograder.system.imports import imports_later

namespace = {}
with imports_later():
    for cell in load_assignment(Path(sys.argv[1])).prelude:
        exec(cell.source, namespace)
"""


def run(code: str) -> str:
    """Run code after the prelude in a fresh interpreter; return what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", PRELUDE + code, str(notebooks.COURSE)],
        capture_output=True,
        text=True,
        cwd=notebooks.COURSE,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_imports_later_imports_neither_package() -> None:
    """The prelude's definitions are there, its slow packages are not."""
    assert run("print([name for name in ('sklearn', 'matplotlib') if name in sys.modules])") == "[]"


def test_imports_later_imports_what_is_called() -> None:
    """A function of the prelude that needs scikit-learn gets it."""
    assert run("print(tuple(namespace['sample_two_moons'](5).shape), 'sklearn' in sys.modules)") == "(5, 2) True"


def test_imports_later_turns_a_module_into_the_real_one() -> None:
    """A module that a cell keeps under a name works once the cells have run."""
    assert run("print(namespace['plt'].matplotlib.__name__, namespace['plt'].figure.__name__)") == "matplotlib figure"


def test_gradebook_is_imported_without_a_grammar_of_addresses() -> None:
    """jsonschema compiles one where it can, for a second; a fresh interpreter, since others import it too."""
    code = (
        "import sys, autograder.nbgrader_host.gradebook\n"
        "print([name for name in ('jsonschema', 'rfc3987_syntax') if name in sys.modules])\n"
        "import rfc3987_syntax"  # can be imported still
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=notebooks.COURSE)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "['jsonschema']"
