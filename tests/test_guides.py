"""The commands of README's neighbours, docs/student.md and docs/extending.md, typed as their readers would."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.documented_commands import Shell, blocks

COURSE = Path(__file__).parents[1]


@pytest.mark.slow
@pytest.mark.bubblewrap
@pytest.mark.skipif(shutil.which("bwrap") is None, reason="needs bubblewrap")
def test_every_command_for_people_who_extend_works_in_a_copy_of_the_course(tmp_path: Path) -> None:
    """A record is added to an empty bank, the assignment proves itself with it, the release and the package follow."""
    for part in ("source", "release"):
        shutil.copytree(COURSE / part, tmp_path / part)
    shutil.copyfile(COURSE / "nbgrader_config.py", tmp_path / "nbgrader_config.py")
    (tmp_path / "docs").mkdir()
    (tmp_path / "tests" / "submissions").mkdir(parents=True)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    shell = Shell(tmp_path, {**os.environ, "PATH": path})
    printed = "".join(shell.run(block) for block in blocks(COURSE / "docs" / "extending.md"))
    assert "1 wrong and 0 right answers, 0 faults" in printed
    assert (tmp_path / "dist" / "consistency_check-0.1.0-py3-none-any.whl").is_file()
