"""What is the same for every submission: the teacher, the data of a short training, and the reference's own run of it.

A submission's functions are run with the same seeds on the same machine. The measure is the distance from one jump of
the trained model to the end of the teacher's trajectory from the same noise; being paired, it has no sampling noise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils import vector_to_parameters

from autograder.assignment import Assignment
from autograder.assignments.consistency_models.training.affine_steps import (
    AffineSteps,
    affine_answers,
    affine_functions,
    affine_networks,
)
from autograder.assignments.consistency_models.training.calibration import Calibration, load_calibration
from autograder.assignments.consistency_models.training.following import Followed, Trajectory, follow
from autograder.assignments.consistency_models.training.functions import (
    Asking,
    Networks,
    ReferenceFunctions,
    StudentFunctions,
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
from autograder.judge.run import Prepared
from autograder.system import cache
from autograder.system.imports import imports_later
from autograder.verdict import CheckFailed

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


class PreparedTraining(Prepared):
    """Teacher, data, the reference's functions and what they train, each computed when it is first asked for."""

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

        def make() -> Iterable[Tensor]:
            return vars(record(self.functions, self.recipe, self.batches, self.start)).values()

        return Trace(*self._kept("run", make))

    @cached_property
    def path(self) -> Trajectory:
        """What a submission is led along: the run, and affine maps in the place of most of its networks."""
        functions = affine_functions(self.namespace, self.recipe)
        answers = self._kept("affine", lambda: affine_answers(functions, self.recipe, self.batches, self.run.x_tn1))
        affine = AffineSteps(affine_networks(functions, self.recipe), *answers)
        path = Trajectory(Progress(self.recipe, self.start), self.batches, lambda: self.run, affine)
        _ = self.online
        del self.run  # 34 MB of gradients; read or made again for the first submission that parts from them
        return path

    @cached_property
    def full_size(self) -> PreparedTraining:
        """The same for one step of the notebook's own size: what is wrong there alone shows in no smaller run."""
        other = PreparedTraining(self.assignment, self.calibration, replace(self.recipe, **FULL_SIZE))
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

    def _kept(self, what: str, make: Callable[[], Iterable[Tensor]]) -> list[Tensor]:
        """Return the tensors that `make` returns, which an earlier run on this machine may have kept."""
        if not self.keeps:
            return list(make())
        cells = [cell.source for cell in (*self.assignment.prelude, *self.assignment.reference)]
        given = [value.numpy().tobytes() for value in (*self.calibration.teacher.values(), self.calibration.data)]
        return cache.kept([what, repr(self.recipe), *cells, *given], lambda: list(make()))

    @property
    def givens(self) -> dict[str, Model]:
        if not self._trains:
            return {}
        return {"teacher": Model("ToyModel", self.calibration.teacher, requires_grad=False, training=False)}

    def complete(self) -> None:
        if self._trains:
            _ = self.distance, self.path, self.full_size.path

    @property
    def _trains(self) -> bool:
        """Whether the notebook has a task that asks for the training."""
        return any(task.needs for task in self.assignment.tasks)

    def train(self, student: Student, own: frozenset[str], at_fault: frozenset[str]) -> Trained:
        """Return what a submission's own functions train, the others being the reference's; raises CheckFailed.

        `at_fault`: see functions.Asking.
        """
        stand_apart = student.together(own)  # one box answers for all as fast as for one
        try:
            followed = self._follow_at_both_sizes(student, own, at_fault)
            right = all(not each.function for each in followed)
        except CheckFailed:
            if not stand_apart:
                raise
            right = False
        if stand_apart and not right:  # what stands between them may be to blame
            student.separately()
            followed = self._follow_at_both_sizes(student, own, at_fault)
        first, last = followed[0], followed[-1]
        if not first.function:
            return Trained(first.run.online, self.distance, last.function, last.difference)
        student.together(own)  # what one leaves behind another finds, as in the notebook
        online = train(self._asked(student, own, at_fault), self.batches, first.run)
        return Trained(online, self.measure(online), first.function, first.difference)

    def _follow_at_both_sizes(self, student: Student, own: frozenset[str], at_fault: frozenset[str]) -> list[Followed]:
        """Follow the short run, and where nothing parts from it the step of the notebook's own size."""
        followed = [self._follow(self._asked(student, own, at_fault))]
        if not followed[0].function:
            followed.append(self.full_size._follow(self.full_size._asked(student, own, at_fault)))
        return followed

    def _asked(self, student: Student, own: frozenset[str], at_fault: frozenset[str]) -> StudentFunctions:
        networks = Networks.of_notebook(self.recipe, self.calibration.teacher)
        return StudentFunctions(student, own, self.functions, Asking(networks, at_fault))

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
        vector_to_parameters(online.clone(), model.parameters())
        return model


@lru_cache(maxsize=1)
def prepare(assignment: Assignment) -> PreparedTraining:
    """Return what is prepared for an assignment, the same object each time."""
    return PreparedTraining(assignment)


def run_cells(assignment: Assignment, cells: list[str]) -> dict[str, Any]:
    """Return the namespace that the prelude and then these trusted cells leave in this process."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    with imports_later():
        for number, source in enumerate([*(cell.source for cell in assignment.prelude), *cells], 1):
            exec(compile(source, f"<trusted cell {number}>", "exec", dont_inherit=True), namespace)
    return namespace
