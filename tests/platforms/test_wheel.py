"""The package as it is installed elsewhere: what a wheel holds and what it does not."""

import subprocess
import sys
import zipfile
from pathlib import Path

COURSE = Path(__file__).parents[2]


def test_wheel_holds_checks_and_templates_and_nothing_of_the_course(tmp_path):
    """A wheel has everything of `autograder`, hidden checks included, but no source notebook, test or release."""
    build = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
    command = [sys.executable, "-c", build, str(tmp_path)]
    run = subprocess.run(command, cwd=COURSE, capture_output=True, text=True, check=True)
    names = zipfile.ZipFile(tmp_path / run.stdout.split()[-1]).namelist()
    package = COURSE / "autograder"
    files = [path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert sorted(str(path.relative_to(COURSE)) for path in files) == sorted(
        name for name in names if name.startswith("autograder/")
    )
    assert any(name.startswith("autograder/assignments/consistency_models/checks/test_") for name in names)
    assert any("/templates/" in name for name in names)
    assert {name.split("/")[0] for name in names} == {"autograder", "autograder-0.1.0.dist-info"}
