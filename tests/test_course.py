"""Which assignment of a course is meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.course import assignment_names, find_assignment
from autograder.errors import UsageError


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """Return a course of two assignments, in a folder that is called like one of them."""
    course = tmp_path / "hw1"
    for name in ("hw1", "hw2"):
        add(course, name)
    return course


def add(course: Path, name: str, notebook: str | None = None) -> None:
    """Make a folder in source/ with a notebook in it."""
    folder = course / "source" / name
    folder.mkdir(parents=True)
    (folder / f"{notebook or name}.ipynb").touch()


def test_assignments_are_the_folders_with_a_notebook_of_their_name(course: Path) -> None:
    """Folders without one, and names of other characters, are none."""
    add(course, "drafts", "other")
    add(course, "HW3")
    add(course, "3-hw")
    assert assignment_names(course) == ["hw1", "hw2"]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("submitted/ada/hw2/mine.ipynb", "hw2"),
        ("submitted/hw1/hw2/mine.ipynb", "hw2"),  # a student may be called like an assignment
        ("results/hw2", "hw2"),
        ("source/hw1/hw1.ipynb", "hw1"),
        ("handed/hw2.ipynb", "hw2"),
        ("/elsewhere/hw1/ada.ipynb", "hw1"),
    ],
)
def test_a_path_names_its_assignment(course: Path, path: str, name: str) -> None:
    """By the innermost folder of such a name, else by the file."""
    assert find_assignment(course, None, course / path).name == name


def test_the_name_that_is_given_counts_more_than_the_path(course: Path) -> None:
    """`--assignment` is the last word."""
    assert find_assignment(course, "hw1", course / "results" / "hw2").name == "hw1"


@pytest.mark.parametrize("path", [None, "submitted", "submitted/ada/mine.ipynb"])
def test_several_assignments_and_none_named_is_a_sentence_with_their_names(course: Path, path: str | None) -> None:
    """The place of the course itself names none."""
    with pytest.raises(UsageError, match=r"several assignments: hw1, hw2; .*--assignment"):
        find_assignment(course, None, course / path if path else None)


def test_the_only_assignment_need_not_be_named(tmp_path: Path) -> None:
    """A path that names none does not matter then."""
    add(tmp_path, "hw1")
    assert find_assignment(tmp_path, None, tmp_path / "x.ipynb").source == tmp_path / "source" / "hw1" / "hw1.ipynb"


def test_an_unknown_assignment_is_a_sentence_with_the_names(course: Path) -> None:
    """Whoever mistypes a name finds the right one there."""
    with pytest.raises(UsageError, match="no assignment 'hw3'; the course has hw1, hw2"):
        find_assignment(course, "hw3")


def test_a_course_without_an_assignment_is_a_sentence(tmp_path: Path) -> None:
    """The message says where one would be."""
    with pytest.raises(UsageError, match=r"no source notebook in .*source/NAME/NAME\.ipynb"):
        find_assignment(tmp_path)
