"""The zip for Gradescope: set up and run in a replica of its folders, by the scripts that it holds."""

from __future__ import annotations

import json
import os
import shutil
import site
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from autograder.assignment import load_assignment
from autograder.platforms.gradescope.build import GradescopeSettings, build_gradescope_zip
from autograder.platforms.gradescope.run import student_of
from autograder.platforms.wheel import own_wheel
from tests.accounts import reachable_folder
from tests.notebooks import blank_notebook, reference_notebook, write

COURSE = Path(__file__).parents[2]
SCHEMA = json.loads((COURSE / "tests" / "schemas" / "gradescope.json").read_text())
METADATA = {
    "id": 123456,
    "created_at": "2026-11-25T15:00:00.000000-08:00",
    "assignment": {"title": "Consistency models", "total_points": "100.0", "group_submission": False},
    "submission_method": "upload",
    "users": [{"email": "ada@example.edu", "id": 1, "name": "Ada ::error::Lovelace"}],
    "previous_submissions": [],
}


pytestmark = pytest.mark.xdist_group("gradescope")  # one installation for one worker


@pytest.fixture(scope="module")
def root() -> Iterator[Path]:
    """Return Gradescope's folder /autograder, set up from the zip by its setup.sh."""
    with reachable_folder() as folder:  # the box's user must reach the environment, as in /autograder
        set_up(folder)
        yield folder


def set_up(folder: Path) -> None:
    """Make Gradescope's folder /autograder from the zip, by its setup.sh."""
    archive = build_gradescope_zip(load_assignment(COURSE), folder / "gradescope.zip", GradescopeSettings())
    with zipfile.ZipFile(archive) as file:
        file.extractall(folder / "source")
    for name in ("submission", "results"):
        (folder / name).mkdir()
    (folder / "submission_metadata.json").write_text(json.dumps(METADATA))
    # Everything but the dependencies is installed, which the tests' own environment lends: they are several gigabytes.
    offline = {"PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1", "TORCH_INDEX_URL": "file:///nowhere"}
    script(folder, "setup.sh", **offline)
    (place,) = (folder / "venv" / "lib").glob("python*/site-packages")
    (place / "lent.pth").write_text("\n".join(site.getsitepackages()) + "\n")


def script(root: Path, name: str, code: int = 0, **environment: str) -> str:
    """Run a script of the zip as Gradescope does, and return what staff see of it."""
    known = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "AUTOGRADER_ROOT": str(root)}
    done = subprocess.run(
        ["bash", root / "source" / name], env={**known, **environment}, cwd=root, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stdout
    return done.stdout


def hand_in(root: Path, **files: bytes) -> Path:
    """Put files in the folder of the submission, in place of what was there."""
    folder = root / "submission"
    shutil.rmtree(folder)
    folder.mkdir()
    for name, content in files.items():
        (folder / f"{name}.ipynb").write_bytes(content)
    return folder


def results(root: Path) -> dict[str, Any]:
    """Return results.json, valid by Gradescope's specification."""
    value: dict[str, Any] = json.loads((root / "results" / "results.json").read_text())
    jsonschema.validate(value, SCHEMA)
    return value


@pytest.mark.slow
@pytest.mark.bubblewrap
def test_a_right_submission_gets_all_points(root: Path, tmp_path: Path) -> None:
    """Marked in the replica, by the installed wheel, with the checks closed to the submission."""
    notebook = write(reference_notebook(), tmp_path)
    hand_in(root, **{"my homework (1)": notebook.read_bytes()})
    shown = script(root, "run_autograder")
    value = results(root)
    assert value["score"] == 110.0
    assert value["extra_data"]["isolation"] in ("namespaces", "process")
    assert "checks_readable" not in value["extra_data"]
    assert {test["status"] for test in value["tests"]} == {"passed"}
    assert "::" not in shown
    assert "ada@example.edu" in shown


@pytest.mark.slow
@pytest.mark.bubblewrap
def test_without_namespaces_it_marks_by_process(root: Path, tmp_path: Path) -> None:
    """Where the container allows no namespaces staff read so, and the checks are closed all the same."""
    notebook = write(blank_notebook(), tmp_path)
    hand_in(root, **{"consistency-models": notebook.read_bytes()})
    bare = tmp_path / "bin"
    bare.mkdir()
    for name in ("mkdir", "cat", "bash"):
        (bare / name).symlink_to(shutil.which(name) or name)
    shown = script(root, "run_autograder", PATH=str(bare))
    value = results(root)
    assert value["extra_data"]["isolation"] == "process"
    assert "checks_readable" not in value["extra_data"]
    assert {test["extra_data"]["status"] for test in value["tests"][1:]} == {"not_attempted"}
    assert "marked with --isolation process" in shown


@pytest.mark.slow
def test_an_empty_submission_is_a_zero_with_its_reason(root: Path) -> None:
    """The student reads why, and no program's output."""
    hand_in(root)
    script(root, "run_autograder")
    value = results(root)
    assert (value["score"], value["stdout_visibility"]) == (0.0, "hidden")
    assert "No notebook was handed in" in value["tests"][0]["output"]


@pytest.mark.slow
def test_a_fault_of_ours_is_no_zero(root: Path, tmp_path: Path) -> None:
    """What stands in results.json until marking ends has no score, and says so to the student."""
    broken = tmp_path / "autograder"
    shutil.copytree(root, broken, symlinks=True)
    (broken / "source" / "course" / "autograder.toml").write_text("unknown = 1\n")
    shown = script(broken, "run_autograder", code=1)
    value = json.loads((broken / "results" / "results.json").read_text())
    assert "score" not in value
    assert "This is no fault of your work" in value["output"]
    assert "unknown key 'unknown'" in shown


def test_the_zip_holds_what_it_needs_and_no_more(tmp_path: Path) -> None:
    """Scripts at its root that may be run, the wheel, the source notebook; no submission, no gradebook; same bytes."""
    settings = GradescopeSettings(visibility="after_published", torch_index="https://example.org/whl/cpu")
    first = build_gradescope_zip(load_assignment(COURSE), tmp_path / "1.zip", settings).read_bytes()
    assert first == build_gradescope_zip(load_assignment(COURSE), tmp_path / "2.zip", settings).read_bytes()
    with zipfile.ZipFile(tmp_path / "1.zip") as archive:
        names = set(archive.namelist())
        assert archive.getinfo("setup.sh").external_attr >> 16 == 0o100755
        assert archive.getinfo("run_autograder").external_attr >> 16 == 0o100755
        assert archive.read("torch-index") == b"https://example.org/whl/cpu\n"
        assert b"\ntorch==" in archive.read("constraints.txt")
        assert b"+" not in archive.read("constraints.txt")
    wheel, _ = own_wheel()
    notebook = "course/source/consistency-models/consistency-models.ipynb"
    assert names == {
        "setup.sh", "run_autograder", "settings.json", "torch-index", "constraints.txt", wheel, notebook,
        "course/nbgrader_config.py",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("metadata", "student"),
    [
        (json.dumps(METADATA), "ada@example.edu"),
        ('{"users": [{"email": "a@b.c"}, {"name": "Bob"}]}', "a@b.c, Bob"),
        ('{"users": 7}', "submission"),
        ("{", "submission"),
    ],
)
def test_the_student_is_who_gradescope_says(tmp_path: Path, metadata: str, student: str) -> None:
    """A group is all of its addresses; without any, marking goes on."""
    file = tmp_path / "submission_metadata.json"
    file.write_text(metadata)
    assert student_of(file) == student
