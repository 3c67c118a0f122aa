"""Hidden checks of sample_quality: 10 points. The four functions train a model as good as the reference's."""

from __future__ import annotations

from autograder.plugin import points
from autograder.quality import Marking
from autograder.student import Student


@points(6)
def test_endpoints(student: Student, marking: Marking) -> None:
    """One jump lands as close to the end of the teacher's trajectory as it can after a short training."""
    marking.check_distance(student, tail=False)


@points(4)
def test_tail(student: Student, marking: Marking) -> None:
    """So it does from the outer noises, where a mistake with t shows most."""
    marking.check_distance(student, tail=True)
