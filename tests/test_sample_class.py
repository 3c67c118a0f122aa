"""How the class that `make grade` shows is written; test_end_to_end marks it."""

from pathlib import Path

from autograder.assignment import MARKERS
from tests.sample_class import build_class

COURSE = Path(__file__).parent.parent


def test_class_is_written_the_same_twice(tmp_path):
    """Written again, the class has the same bytes, so that grading it again finds everything done."""
    first = {path: path.read_bytes() for path in build_class(COURSE, tmp_path)}
    assert {path: path.read_bytes() for path in build_class(COURSE, tmp_path)} == first
    assert len(first) == 5


def test_class_writes_as_students_do(tmp_path):
    """No submission holds a marker of the source notebook, from which the right answers come."""
    for path in build_class(COURSE, tmp_path):
        text = path.read_text(encoding="utf-8")
        assert not any(marker in text for pair in MARKERS for marker in pair)
