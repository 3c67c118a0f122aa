"""The house: which package may import which (pyproject.toml, tool.importlinter), and that a breach is seen."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter on the package in a folder, by the contracts of its pyproject.toml."""
    program = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(cache_dir=None))"
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=root,
        env={"PYTHONPATH": str(root), "PATH": "", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_imports_point_down() -> None:
    """As the contracts say: the engine imports no assignment, the box nothing but itself."""
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("module", "imported"),
    [
        ("judge/judge.py", "autograder.assignments.consistency_models.sampling"),
        ("grading/pool.py", "autograder.assignments"),
        ("box/wire.py", "autograder.text"),
        ("checking/student.py", "autograder.judge.session"),
        ("intake/cells.py", "autograder.report.Report"),
    ],
)
def test_an_import_that_points_up_is_seen(tmp_path: Path, module: str, imported: str) -> None:
    """Also one inside a function, and one of an assignment's package alone."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "autograder", tmp_path / "autograder", ignore=shutil.ignore_patterns("__pycache__"))
    package, _, name = imported.rpartition(".")
    with (tmp_path / "autograder" / module).open("a", encoding="utf-8") as file:
        file.write(f"\n\ndef _late() -> None:\n    from {package} import {name}\n")
    done = lint(tmp_path)
    assert done.returncode == 1, done.stdout
    assert imported.split(".")[1] in done.stdout
