"""The course as nbgrader sees it: its settings, also those that a version before wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.errors import UsageError
from autograder.nbgrader_host.course import load_course
from tests.notebooks import COURSE


def test_settings_of_a_course_are_read(tmp_path: Path) -> None:
    """By the name that the configuration files of existing courses import."""
    text = (COURSE / "nbgrader_config.py").read_text(encoding="utf-8")
    assert "from autograder.nbgrader_course import configure" in text
    (tmp_path / "nbgrader_config.py").write_text(f"{text}\nc.CourseDirectory.course_id = 'another'\n")
    course = load_course(tmp_path)
    assert course.folders.course_id == "another"
    assert "autograder.nbgrader_host.preprocessors.Judge" in course.config.Autograde.autograde_preprocessors


@pytest.mark.parametrize("settings", ["import nothing_of_that_name", "c = get_config(", "raise ValueError(7)"])
def test_settings_that_cannot_be_read_are_a_sentence(tmp_path: Path, settings: str) -> None:
    """Marking without them would drop the late policy, say, in silence."""
    (tmp_path / "nbgrader_config.py").write_text(settings)
    with pytest.raises(UsageError, match="correct nbgrader_config"):
        load_course(tmp_path)


def test_a_course_without_settings_has_nbgraders(tmp_path: Path) -> None:
    """The file is optional to nbgrader."""
    assert load_course(tmp_path).folders.course_id == ""
