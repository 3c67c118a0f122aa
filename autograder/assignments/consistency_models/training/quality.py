"""How good is the model that the student's four functions train? Compared with the reference's own run."""

from __future__ import annotations

from fractions import Fraction

from torch import Tensor

from autograder.assignments.consistency_models import stand_in
from autograder.assignments.consistency_models.prepare import PreparedTraining, Trained
from autograder.assignments.consistency_models.training.following import AGREEMENT
from autograder.assignments.consistency_models.training.functions import FUNCTIONS
from autograder.judge.run import Run
from autograder.verdict import CheckFailed, Status, wrong

QUALITY = "sample_quality"
TRAINING = "training"  # the name under which a run keeps it


class JointTraining:
    """What the checks of boundary_condition and sample_quality ask: one submission, trained at most once.

    The training has a box of its own, so that what breaks there costs nothing elsewhere.
    """

    def __init__(self, run: Run) -> None:
        self.reference: PreparedTraining = run.prepared
        self._run = run

    @property
    def trained(self) -> Trained | None:
        """What the functions have trained; None where no check asked, or one of them failed on the way."""
        found: Trained | None = self._run.made(TRAINING)
        return found

    @property
    def own(self) -> frozenset[str]:
        """The functions that are the student's own and right, by their value checks."""
        return frozenset(name for name in FUNCTIONS if self._run.passed(name))

    def share(self) -> Fraction:
        """Return the part of the points that can be had: all with three or four functions, half with two.

        Raises CheckFailed with fewer.
        """
        if len(self.own) >= 3:
            return Fraction(1)
        if len(self.own) == 2:
            return Fraction(1, 2)
        raise CheckFailed(
            Status.NOT_ATTEMPTED,
            "This is measured once at least two of the four functions of Exercise 3 hold; "
            f"still to do: {self._missing()}.",
        )

    def train(self) -> Trained:
        """Return what the student's right functions train; raises CheckFailed when one fails on the way."""
        return self._run.once(TRAINING, self._train)

    def _train(self) -> Trained:
        with self._run.students.open(QUALITY) as student:
            if not self.own & self._run.own_way:
                stand_in.put(student, self._run)
            return self.reference.train(student, self.own, frozenset(filter(self._run.at_fault, self.own)))

    def trained_or_reference(self) -> dict[str, Tensor]:
        """Return the trained state, or the reference's where training failed: that costs its points elsewhere."""
        try:
            return self.reference.state(self.train().online)
        except CheckFailed:
            return self.reference.state(self.reference.online)

    def full(self) -> None:
        """Raise the half of the points as a failure where only two functions are the student's own."""
        share = self.share()
        if share < 1:
            raise CheckFailed(
                Status.WRONG,
                "This holds with two of the four functions being yours, for half of the points; "
                f"still to do: {self._missing()}.",
                earned=share,
            )

    def check_distance(self, tail: bool) -> None:
        """Raise CheckFailed unless the trained model is as good as the reference's, within the calibrated factor."""
        self.share()
        name = "tail" if tail else "mean"
        ratio = getattr(self.train().distance, name) / getattr(self.reference.distance, name)
        limit = getattr(self.reference.calibration.limits, name)
        # NaN fails every comparison, so this form rejects it.
        if not ratio <= limit:
            raise wrong(
                "The model that your functions train ends further from the teacher than it should: "
                f"{ratio:.1f} times the distance that is reached with right functions. {self._suspect()}"
            )
        self.full()

    def check_agreement(self) -> None:
        """Raise CheckFailed when a function, right by its own checks, answered otherwise during the training."""
        self.share()
        # NaN fails every comparison, so this form rejects it.
        if not self.train().difference <= AGREEMENT:
            raise wrong(f"Not every answer during the training was right. {self._suspect()}")
        self.full()

    def _suspect(self) -> str:
        function = self.train().function
        return (
            f"{function} passed its own checks, but not here: is it right only for some inputs, batch sizes or "
            "networks, or for its first calls?"
        )

    def _missing(self) -> str:
        return ", ".join(name for name in FUNCTIONS if name not in self.own)
