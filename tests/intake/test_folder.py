"""Which notebook of a student's folder is marked, and what is never followed; numbers are rows of the battery."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from autograder.intake.folder import find_notebook
from autograder.intake.submission import UnreadableFile, read_submission
from tests import notebooks
from tests.notebooks import NAME


def touch(folder: Path, *names: str) -> None:
    """Make empty files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"")


def why(path: Path) -> str:
    """Return why a path cannot be read."""
    with pytest.raises(UnreadableFile) as caught:
        read_submission(path, notebooks.assignment())
    return str(caught.value)


def test_row_9_a_renamed_notebook_is_found(tmp_path: Path) -> None:
    """The only notebook is taken, whatever it is called and in whichever of both places it is."""
    touch(tmp_path, "hw (1).ipynb", "notes.txt", ".hidden.ipynb")
    assert find_notebook(tmp_path, NAME) == (tmp_path / "hw (1).ipynb", ())
    touch(tmp_path / "consistency-models", "mine.IPYNB")
    assert find_notebook(tmp_path, NAME) == (tmp_path / "consistency-models" / "mine.IPYNB", ())


def test_row_10_of_two_notebooks_the_exact_name_is_taken(tmp_path: Path) -> None:
    """The exact name wins, and a notice names the choice."""
    touch(tmp_path, "a.ipynb", notebooks.FILE, "z.ipynb")
    path, notices = find_notebook(tmp_path, NAME)
    assert path == tmp_path / notebooks.FILE
    assert [notice.code for notice in notices] == ["several_notebooks"]
    assert f"'{notebooks.FILE}' was marked" in notices[0].message


def test_row_10_else_the_first_by_name_is_taken(tmp_path: Path) -> None:
    """Without the exact name the order decides, the same on every machine."""
    touch(tmp_path, "b.ipynb", "B.ipynb", "a copy.ipynb")
    path, notices = find_notebook(tmp_path, NAME)
    assert path == tmp_path / "B.ipynb"
    assert "first by name" in notices[0].message


@pytest.mark.parametrize("make", [lambda path: None, Path.mkdir, lambda path: path.write_bytes(b"")])
def test_no_notebook_is_none(tmp_path: Path, make) -> None:
    """A missing or empty folder, or a file in its place, has no notebook."""
    make(tmp_path / "ada")
    assert find_notebook(tmp_path / "ada", NAME) == (None, ())


def test_row_78_links_are_not_followed(tmp_path: Path) -> None:
    """Neither a linked notebook nor a linked folder leads out; a link in place of the notebook is named."""
    secret = notebooks.write(notebooks.reference_notebook(), tmp_path / "staff")
    student = tmp_path / "ada"
    student.mkdir()
    (student / "consistency-models").symlink_to(tmp_path / "staff")
    assert find_notebook(student, NAME) == (None, ())
    (student / notebooks.FILE).symlink_to(secret)
    path, _ = find_notebook(student, NAME)
    assert path is not None
    assert "symbolic link" in why(path)
    touch(student, "own.ipynb")
    assert find_notebook(student, NAME)[0] == student / "own.ipynb"


def test_row_78_special_files_never_block(tmp_path: Path) -> None:
    """A pipe, a folder, a device and a missing file are named at once."""
    os.mkfifo(tmp_path / "pipe.ipynb")
    (tmp_path / "folder.ipynb").mkdir()
    assert "a pipe" in why(tmp_path / "pipe.ipynb")
    assert "a folder" in why(tmp_path / "folder.ipynb")
    assert "a device" in why(Path("/dev/zero"))
    assert "No such file" in why(tmp_path / "none.ipynb")
    assert "no possible file name" in why(tmp_path / "a\0.ipynb")
