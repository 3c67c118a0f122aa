"""docs/extending.md: every step, typed as its reader would, in a copy of the repository."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.documented_commands import Shell, blocks

ROOT = Path(__file__).parents[2]
# All that the steps need. The bank is left out but for what they record, since `validate` marks all of it.
COPIED = ("autograder", "source", "release", "docs", "nbgrader_config.py", "pyproject.toml", "Makefile", "LICENSE")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a copy of this repository with an empty bank."""
    root = tmp_path / "repository"
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, root / name)
    shutil.copytree(ROOT / "tests", root / "tests", ignore=shutil.ignore_patterns("__pycache__", "submissions"))
    (root / "tests" / "submissions").mkdir()
    return root


@pytest.mark.full
@pytest.mark.slow
@pytest.mark.bubblewrap
@pytest.mark.skipif(shutil.which("bwrap") is None, reason="needs bubblewrap")
def test_every_step_for_people_who_extend_works_in_a_copy_of_the_repository(copy: Path) -> None:
    """A wrong answer, a check and a task prove themselves with the real judge; so does a second assignment."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    shell = Shell(copy, {"PATH": path, "HOME": str(copy.parent), "LANG": "C.UTF-8"})
    # A checkout has an environment of its own; here all share one, in which the copy's package comes first.
    shell.environment = {**shell.environment, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    printed = []
    for block in blocks(ROOT / "docs" / "extending.md"):
        printed.append(shell.run(block))
    first, second = [text for text in printed if " faults;" in text]
    assert "3 wrong and 0 right answers, 0 faults" in first
    assert "1 wrong and 0 right answers, 0 faults" in second
    marks = {name: cells for name, *cells in (re.split(" {2,}", line) for line in first.splitlines())}
    assert marks["noisy_sample/clamped_far_out"] == ["9", *["·"] * 8]
    assert marks["velocity/reversed"] == ["·", "0", *["·"] * 7]
    assert list((copy / "dist").glob("consistency_check-*.whl"))
    assert [path.name for path in (copy / "release" / "line-fit").iterdir()] == ["line-fit.ipynb"]
