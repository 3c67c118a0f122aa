"""One marking of one submission, as its checks see it: where the student's functions run, and what has come of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, Protocol, TypeVar

from autograder.assignment import Assignment, Task, assignment_module
from autograder.checking.student import Model, Student
from autograder.errors import GraderFault
from autograder.report import CheckResult, TaskResult
from autograder.verdict import CheckFailed, Status

Made = TypeVar("Made")


@dataclass(frozen=True)
class Outcome:
    """What came of one check, before it is turned into points."""

    id: str
    title: str
    weight: Fraction
    value: bool
    status: Status
    message: str = ""
    misconception: str | None = None
    earned: Fraction = Fraction(0)
    fault: str = ""  # for staff: what went wrong in the check itself


class Students(Protocol):
    """Where a submission's functions run: in boxes, or in this process."""

    def open(self, task: str) -> AbstractContextManager[Student]:
        """Return the functions for the checks of a task."""
        ...

    def run_again(self) -> bool:
        """Say, after a task, whether its checks have to run once more."""
        ...


class Prepared:
    """What an assignment computes once for all submissions; one that computes something has a subclass of its own."""

    keeps = False  # whether results may be kept on disk for later runs (system/cache.py)

    @property
    def givens(self) -> Mapping[str, Model]:
        """The models that every box has before the first cell of a student's."""
        return {}

    def complete(self) -> None:
        """Compute now what every submission needs."""


def prepared(assignment: Assignment) -> Prepared:
    """Return what an assignment's own `prepare` returns; that keeps it from one call to the next."""
    module = assignment_module(assignment.name, "prepare")
    found: Prepared = module.prepare(assignment) if module is not None else Prepared()
    return found


def _earned(outcomes: list[Outcome]) -> Fraction:
    return sum((outcome.weight * outcome.earned for outcome in outcomes), Fraction(0))


@dataclass
class Run:
    """One marking of one submission. The checks' fixture `run`."""

    assignment: Assignment
    students: Students
    seed: str  # from which the checks draw their inputs
    prepared: Any = field(default_factory=Prepared)
    examples: bool = False  # a wrong value may show a small case
    kept: Mapping[str, TaskResult] = field(default_factory=dict)  # of an earlier marking; their checks do not run
    outcomes: dict[str, list[Outcome]] = field(default_factory=dict, init=False)
    figures: list[dict[str, Any]] = field(default_factory=list, init=False)  # what the checks let the report draw
    broken: list[str] = field(default_factory=list, init=False)  # our own faults outside of checks
    own_way: set[str] = field(default_factory=set, init=False)  # tasks in which nothing stands in for other functions
    _made: dict[str, Any] = field(default_factory=dict, init=False)

    def passed(self, task: str) -> bool:
        """Say whether a task was attempted and all of its value checks passed."""
        values = [outcome for outcome in self.outcomes.get(task, ()) if outcome.value]
        return bool(values) and all(outcome.status is Status.PASSED for outcome in values)

    def at_fault(self, task: str) -> bool:
        """Say whether a check of something else than the value has failed."""
        outcomes = self.outcomes.get(task, ())
        return any(outcome.status is not Status.PASSED for outcome in outcomes if not outcome.value)

    def lost_points(self, task: str) -> bool:
        """Say whether any check of a task has failed."""
        return any(outcome.status is not Status.PASSED for outcome in self.outcomes.get(task, ()))

    def once(self, name: str, make: Callable[[], Made]) -> Made:
        """Return what `make` returns, or raise the CheckFailed that it raises: it is called once for all checks."""
        if name not in self._made:
            try:
                self._made[name] = make()
            except CheckFailed as failure:
                self._made[name] = failure
        made: Made | CheckFailed = self._made[name]
        if isinstance(made, CheckFailed):
            raise made
        return made

    def made(self, name: str) -> Any:
        """Return what `once` has made under that name; None where nothing was, or it failed."""
        made = self._made.get(name)
        return None if isinstance(made, CheckFailed) else made

    def add_example(self, task: str, example: Callable[[], str]) -> None:
        """Let the first wrong value of a task show what the student's code does in a small case, where that may be."""
        outcomes = self.outcomes.get(task, []) if self.examples else []
        for place, outcome in enumerate(outcomes):
            if outcome.status is Status.WRONG:
                outcomes[place] = replace(outcome, message=f"{outcome.message} {example()}".rstrip())
                return

    def try_own_way(self, task: str, again: Callable[[], None]) -> None:
        """Run the checks of a task once more with the student's own functions in all places; the better of both counts.

        An answer may follow an odd form of another function, which lost its points for that form in its own task.
        """
        outcomes, figures = self.outcomes[task], self.figures
        self.forget(task)
        self.own_way.add(task)
        again()
        if _earned(self.outcomes[task]) <= _earned(outcomes):
            self.own_way.discard(task)
            self.outcomes[task], self.figures = outcomes, figures

    def forget(self, task: str) -> None:
        """Forget what came of a task that runs once more, and what failed to be made."""
        self.outcomes.pop(task, None)
        self.figures = [figure for figure in self.figures if figure["task"] != task]
        self._made = {name: made for name, made in self._made.items() if not isinstance(made, CheckFailed)}

    def result(self, task: Task) -> TaskResult:
        """Return the checks of a task with their shares of its points; raises GraderFault where they were not run."""
        if task.id in self.kept:
            return self.kept[task.id]
        if self.broken:
            raise GraderFault(f"a hidden check could not be run: {self.broken[0]}")
        outcomes = self.outcomes.get(task.id)
        if not outcomes:
            raise GraderFault(f"no check of {task.id} was run")
        total = sum((outcome.weight for outcome in outcomes), Fraction(0))
        checks = tuple(
            CheckResult(o.id, o.title, o.weight / total, o.status, o.earned, o.message, o.misconception)
            for o in outcomes
        )
        return TaskResult(task.id, task.title, task.points, task.bonus, checks)
