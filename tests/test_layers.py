"""The house: which package may import which (pyproject.toml, tool.importlinter), and that a breach is seen."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import notebooks

ROOT = Path(__file__).parents[1]
# What this assignment is about, and what its tasks are called.
WORDS = re.compile(
    "|".join(["consistency", "teacher", "ToyModel", *(task.id for task in notebooks.assignment().tasks)]), re.I
)
GIVEN_OUT = ("platforms/student/LICENSE",)  # as the repository's own, which names the project
LONGEST, MOST_AT_THE_TOP = 300, 12
MODULES = [
    path for path in sorted((ROOT / "autograder").rglob("*")) if path.is_file() and "__pycache__" not in path.parts
]


def name(path: Path) -> str:
    """Return how a file of the package is called here."""
    return path.relative_to(ROOT / "autograder").as_posix()


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


def test_the_engine_does_not_know_the_assignment() -> None:
    """Neither its subject nor a task is named outside its own package, in code, templates or what is given out."""
    for path in MODULES:
        if not name(path).startswith("assignments/") and name(path) not in GIVEN_OUT:
            found = WORDS.search(path.read_text(encoding="utf-8"))
            assert found is None, f"{name(path)}: {found[0]}"


@pytest.mark.parametrize(
    "word", ["A consistency model", "the Teacher's", "class ToyModel", "'ema_update'", "sample_quality"]
)
def test_a_word_of_the_assignment_is_seen(word: str) -> None:
    """In any place and in capitals too."""
    assert WORDS.search(word)


def test_modules_are_short_and_few_at_the_top() -> None:
    """One role a file: at the limit a module is split by role."""
    lengths = {
        name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES if path.suffix == ".py"
    }
    assert {module for module, length in lengths.items() if length > LONGEST} == set()
    assert len([module for module in lengths if "/" not in module]) <= MOST_AT_THE_TOP


def test_tests_mirror_the_packages() -> None:
    """Each folder of tests is a package of the engine, an assignment, or one of those named here."""
    packages = {path.name for path in (ROOT / "autograder").iterdir() if path.is_dir()}
    others = {"battery", "docs", "schemas", "submissions"}
    folders = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir()} - {"__pycache__"}
    assert folders - others <= packages
