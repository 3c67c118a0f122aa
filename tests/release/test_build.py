"""Building, checking and comparing a release, with the real nbgrader and the committed course."""

import copy
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbclient
import nbformat
import pytest

from autograder.course import find_assignment
from autograder.errors import ReleaseFault, UsageError
from autograder.release.build import (
    LESSON,
    build_release,
    check_release,
    differences,
    release_command,
)
from autograder.release.source_check import cell_name
from tests.notebooks import NAME

COURSE = Path(__file__).parents[2]
COMMITTED = find_assignment(COURSE).released / f"{NAME}.ipynb"


@pytest.fixture
def course(tmp_path):
    """Return a copy of the course in a temporary folder, with a gradebook that must stay as it is."""
    root = tmp_path / "course"
    for part in ("source", "release"):
        shutil.copytree(COURSE / part, root / part)
    shutil.copyfile(COURSE / "nbgrader_config.py", root / "nbgrader_config.py")
    (root / "gradebook.db").write_bytes(b"marks of a whole year")
    return root


def snapshot(folder):
    """Return the contents of all files below a folder, by path."""
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.slow
def test_release_as_committed_is_fresh(capsys):
    """The committed release is, byte for byte, what the committed source makes; checking writes nothing."""
    before = snapshot(COURSE / "release")
    assert release_command(find_assignment(COURSE), check=True) == 0
    assert snapshot(COURSE / "release") == before
    assert "is what source/consistency-models makes" in capsys.readouterr().out


@pytest.mark.full
@pytest.mark.slow
def test_release_after_an_edit_is_stale_until_built(course):
    """--check fails on a stale release, names the cell and writes nothing; building makes it fresh."""
    source = course / "source" / NAME / f"{NAME}.ipynb"
    notebook = nbformat.read(source, as_version=4)
    notebook.cells[0].source += "\n\nA new sentence."
    nbformat.write(notebook, source)
    before = snapshot(course)
    with pytest.raises(ReleaseFault, match=r"run 'autograder release':\n  cell 'title' \(1 of \d+\) differs"):
        check_release(find_assignment(course))
    assert snapshot(course) == before
    left_over = find_assignment(course).released / "solutions.ipynb"
    left_over.write_text("{}", encoding="utf-8")
    files = build_release(find_assignment(course))
    assert list(files) == [f"{NAME}.ipynb", LESSON]
    assert not left_over.exists()
    assert (course / "gradebook.db").read_bytes() == b"marks of a whole year"
    assert "A new sentence." in (find_assignment(course).released / f"{NAME}.ipynb").read_text(encoding="utf-8")


def test_release_with_an_unbalanced_marker_ends_with_1_and_one_sentence(course):
    """The command says which cell is wrong, shows no traceback, exits with 1 and leaves the release alone."""
    source = course / "source" / NAME / f"{NAME}.ipynb"
    text = source.read_text(encoding="utf-8")
    source.write_text(text.replace("### BEGIN SOLUTION", "### START SOLUTION", 1), encoding="utf-8")
    before = snapshot(course)
    command = [sys.executable, "-m", "autograder.cli", "release", "--course", str(course)]
    command[1:3] = ["-c", "import sys; from autograder.cli import main; sys.exit(main(sys.argv[1:]))"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert "END SOLUTION without BEGIN SOLUTION; add the BEGIN line" in run.stderr
    assert "Traceback" not in run.stderr
    assert snapshot(course) == before


def test_folder_that_is_no_course_is_wrong_usage(course):
    """Without nbgrader's settings nothing can be built."""
    (course / "nbgrader_config.py").unlink()
    with pytest.raises(UsageError, match=r"nbgrader_config\.py is missing"):
        check_release(find_assignment(course))


def test_differences_name_files_and_cells(tmp_path):
    """What differs is told by file, and within the notebook by cell."""
    built = nbformat.read(COMMITTED, as_version=4)
    changed = copy.deepcopy(built)
    changed.cells[2].source += "\n"
    del changed.cells[5]
    nbformat.write(changed, tmp_path / f"{NAME}.ipynb")
    (tmp_path / "extra.txt").write_text("x", encoding="utf-8")
    assert differences(tmp_path, {f"{NAME}.ipynb": COMMITTED.read_bytes(), "lesson.html": b""}) == [
        "lesson.html is missing",
        "extra.txt is no file of a release",
        f"{cell_name(built, 2)} differs",
        f"{cell_name(built, 5)} is new",
    ]


def test_differences_of_a_broken_file_name_the_file(tmp_path):
    """A committed file that is no notebook differs as a whole."""
    (tmp_path / f"{NAME}.ipynb").write_text("<<<<<<< HEAD", encoding="utf-8")
    assert differences(tmp_path, {f"{NAME}.ipynb": COMMITTED.read_bytes()}) == [f"{NAME}.ipynb differs"]


@pytest.fixture
def jupyter_home(tmp_path, monkeypatch):
    """Keep a kernel's files, and the settings of whoever runs the tests, out of the way."""
    for name in ("HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "MPLCONFIGDIR"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    return tmp_path


@pytest.mark.slow
def test_release_runs_in_a_plain_kernel_up_to_the_first_todo(jupyter_home):
    """In a plain kernel all cells run until the first test of an unwritten function, which says so in a sentence."""
    notebook = nbformat.read(COMMITTED, as_version=4)
    client = nbclient.NotebookClient(notebook, timeout=600, kernel_name="python3")
    with pytest.raises(nbclient.exceptions.CellExecutionError) as caught:
        client.execute(cwd=str(jupyter_home))
    assert caught.value.ename == "NotImplementedError"
    assert "not written yet" in caught.value.evalue
    ids = [cell.metadata.get("nbgrader", {}).get("grade_id", "") for cell in notebook.cells]
    reached = [place for place, cell in enumerate(notebook.cells) if cell.get("execution_count")]
    assert ids[reached[-1]] == "test_noisy_sample"


@pytest.mark.full
@pytest.mark.slow
def test_release_is_validated_by_stock_nbgrader(jupyter_home):
    """`nbgrader validate` without our settings runs the release and tells which test is not passed.

    Up to the first test: after it nothing new can show, and the teacher's training would be waited for twice.
    """
    notebook = nbformat.read(COMMITTED, as_version=4)
    ids = [cell.metadata.get("nbgrader", {}).get("grade_id", "") for cell in notebook.cells]
    del notebook.cells[ids.index("test_noisy_sample") + 1 :]
    nbformat.write(notebook, jupyter_home / COMMITTED.name)
    run = subprocess.run(
        [sys.executable, "-m", "nbgrader", "validate", COMMITTED.name],
        cwd=jupyter_home, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert "VALIDATION FAILED ON 1 CELL" in run.stdout
    assert "This function is not written yet" in run.stdout
    assert "CONTENTS OF" not in run.stdout  # no test cell counts as changed
