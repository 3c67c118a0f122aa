"""How good is the model that the student's four functions train? Compared with the reference's own run.

Both runs have the same seeds and happen on the same machine. The measure is the distance from one jump of the trained
model to the end of the teacher's trajectory from the same noise; being paired, it has no sampling noise.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from autograder.assignment import Assignment
from autograder.assignments.consistency_models.training.affine_steps import affine_functions, affine_steps
from autograder.assignments.consistency_models.training.calibration import Calibration, load_calibration
from autograder.assignments.consistency_models.training.following import AGREEMENT, Followed, Path, follow
from autograder.assignments.consistency_models.training.functions import (
    FUNCTIONS,
    Asking,
    Networks,
    ReferenceFunctions,
    StudentFunctions,
    load_vector,
    notebook_functions,
)
from autograder.assignments.consistency_models.training.recipe import (
    Batches,
    Progress,
    Recipe,
    Trace,
    draw_batches,
    initial_vector,
    record,
    train,
)
from autograder.checking.student import Model, Student
from autograder.system.imports import imports_later
from autograder.verdict import CheckFailed, Status, wrong

FULL_SIZE = {"steps": 1, "batch": 128, "hidden_dim": 128}  # one step of the notebook's own training
TAIL = 2.0  # noise of a norm above this is the tail, where mistakes with t show most


@dataclass(frozen=True)
class Distance:
    """Mean distance to the teacher's endpoints, in data units: over all noises, and over the tail alone."""

    mean: float
    tail: float


@dataclass(frozen=True)
class Trained:
    """What a submission's functions trained; `function` was the first that differed, by `difference`."""

    online: Tensor
    distance: Distance
    function: str = ""
    difference: float = 0.0


class Reference:
    """What is the same for every submission of an assignment: teacher, data, the reference's functions and its run."""

    def __init__(
        self, assignment: Assignment, calibration: Calibration | None = None, recipe: Recipe | None = None
    ) -> None:
        self.assignment = assignment
        self.recipe = recipe or Recipe()
        self._calibration = calibration

    @cached_property
    def calibration(self) -> Calibration:
        """Teacher weights and thresholds, as committed; raises GraderFault when they belong to another prelude."""
        return self._calibration or load_calibration(self.assignment)

    @cached_property
    def namespace(self) -> dict[str, Any]:
        """Where the prelude and the reference answers live, in this process."""
        return run_cells(self.assignment, [cell.source for cell in self.assignment.reference])

    @cached_property
    def teacher(self) -> Any:
        """The teacher network."""
        teacher = self.namespace["ToyModel"]()
        teacher.load_state_dict(self.calibration.teacher)
        return teacher.eval().requires_grad_(False)

    @property
    def givens(self) -> dict[str, Model]:
        """The models that every box has before the first cell of a student's."""
        return {"teacher": Model("ToyModel", self.calibration.teacher, requires_grad=False, training=False)}

    @cached_property
    def functions(self) -> ReferenceFunctions:
        """The reference's four functions."""
        return notebook_functions(self.namespace, self.teacher, self.recipe)

    @cached_property
    def batches(self) -> Batches:
        """The data of the short run."""
        return draw_batches(self.recipe, self.calibration.data)

    @cached_property
    def start(self) -> Tensor:
        """The start weights of the short run."""
        return initial_vector(self.recipe, self.functions.shapes)

    @cached_property
    def run(self) -> Trace:
        """The reference's own short run on this machine."""
        return record(self.functions, self.recipe, self.batches, self.start)

    @cached_property
    def path(self) -> Path:
        """What a submission is led along: the run, and affine maps in the place of most of its networks."""
        functions = affine_functions(self.namespace, self.recipe)
        affine = affine_steps(functions, self.recipe, self.batches, self.run.x_tn1)
        path = Path(Progress(self.recipe, self.start), self.batches, lambda: self.run, affine)
        _ = self.online
        del self.run  # 18 MB of gradients; made again, in a second, for the first submission that parts from them
        return path

    @cached_property
    def full_size(self) -> Reference:
        """The same for one step of the notebook's own size: what is wrong there alone shows in no smaller run."""
        other = Reference(self.assignment, self.calibration, replace(self.recipe, **FULL_SIZE))
        other.namespace, other.teacher = self.namespace, self.teacher
        return other

    @cached_property
    def distance(self) -> Distance:
        """How far the reference's own run ends from the teacher."""
        return self.measure(self.online)

    @cached_property
    def online(self) -> Tensor:
        """What the reference's own run ends with."""
        return self.run.online

    def prepare(self) -> None:
        """Compute what every submission needs, while the keeper comes up."""
        _ = self.distance, self.path, self.full_size.path

    def train(self, student: Student, own: frozenset[str], charged: frozenset[str]) -> Trained:
        """Return what a submission's own functions train, the others being the reference's; raises CheckFailed.

        `charged`: see functions.Asking.
        """
        functions = self._asked(student, own, charged)
        followed = self._follow(functions)
        if not followed.function:
            large = self.full_size._follow(self.full_size._asked(student, own, charged))
            return Trained(followed.run.online, self.distance, large.function, large.difference)
        online = train(functions, self.batches, followed.run)
        return Trained(online, self.measure(online), followed.function, followed.difference)

    def _asked(self, student: Student, own: frozenset[str], charged: frozenset[str]) -> StudentFunctions:
        networks = Networks.of_notebook(self.recipe, self.calibration.teacher)
        return StudentFunctions(student, own, self.functions, Asking(networks, charged))

    def _follow(self, functions: StudentFunctions) -> Followed:
        return follow(functions, self.path)

    def measure(self, online: Tensor) -> Distance:
        """Return the distance of a trained network to the teacher's endpoints."""
        errors = (self.jump(online) - self.calibration.endpoints).norm(dim=1)
        tail = self.calibration.noise.norm(dim=1) > TAIL
        return Distance(float(errors.mean()), float(errors[tail].mean()))

    def jump(self, online: Tensor) -> Tensor:
        """Return where a trained network sends the calibration's noise in one jump, (N, 2)."""
        noise = self.calibration.noise
        with torch.no_grad():
            samples: Tensor = self._network(online)(noise, torch.ones(len(noise)))
        return samples

    def state(self, online: Tensor) -> dict[str, Tensor]:
        """Return a network's vector as a state dict."""
        return {name: value.detach() for name, value in self._network(online).named_parameters()}

    def _network(self, online: Tensor) -> Any:
        model = self.namespace["ConsistencyModel"](self.recipe.hidden_dim, self.recipe.sigma_min)
        load_vector(model, online)
        return model


def run_cells(assignment: Assignment, cells: list[str]) -> dict[str, Any]:
    """Return the namespace that the prelude and then these trusted cells leave in this process."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    with imports_later():
        for number, source in enumerate([*(cell.source for cell in assignment.prelude), *cells], 1):
            exec(compile(source, f"<trusted cell {number}>", "exec", dont_inherit=True), namespace)
    return namespace


class Marking:
    """What the checks of boundary_condition and sample_quality ask: one submission, trained at most once.

    The training has a box of its own, so that what breaks there costs nothing elsewhere.
    """

    def __init__(
        self,
        reference: Reference,
        held: Callable[[str], bool],
        charged: Callable[[str], bool],
        open_student: Callable[[str], AbstractContextManager[Student]],
    ) -> None:
        self.reference = reference
        self._held = held
        self._charged = charged
        self._open_student = open_student
        self._trained: Trained | None = None
        self._failed: CheckFailed | None = None

    @property
    def trained(self) -> Trained | None:
        """What the functions have trained; None where no check asked, or one of them failed on the way."""
        return self._trained

    @property
    def own(self) -> frozenset[str]:
        """The functions that are the student's own and right, by their value checks."""
        return frozenset(name for name in FUNCTIONS if self._held(name))

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
        if self._failed is not None:
            raise self._failed
        if self._trained is None:
            try:
                with self._open_student("sample_quality") as student:
                    charged = frozenset(filter(self._charged, self.own))
                    self._trained = self.reference.train(student, self.own, charged)
            except CheckFailed as failure:
                self._failed = failure
                raise
        return self._trained

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
