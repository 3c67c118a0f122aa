"""Hidden checks of sample_quality: 10 points. The four functions train a model as good as the reference's."""

from __future__ import annotations

from autograder.assignments.consistency_models.training.quality import JointTraining
from autograder.checking import points


@points(4)
def test_endpoints(training: JointTraining) -> None:
    """One jump lands as close to the end of the teacher's trajectory as it can after a short training."""
    training.check_distance(tail=False)


@points(3)
def test_tail(training: JointTraining) -> None:
    """So it does from the outer noises, where a mistake with t shows most."""
    training.check_distance(tail=True)


@points(3)
def test_agreement(training: JointTraining) -> None:
    """Every function answers throughout a training as it did in its own checks."""
    training.check_agreement()
