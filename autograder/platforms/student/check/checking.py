"""Goes through a notebook: what is missing, what raises, which visible checks hold.

Given cells that train and draw are run only where a visible check or a cell of the student's own may need them, and
no longer once something does not hold: figures of half a notebook tell nothing.
"""

import enum
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import takewhile

from autograder.assignment import Task
from autograder.intake.repair import definition
from autograder.platforms.student.check.plan import Kind, Plan, Step
from autograder.platforms.student.check.runner import GONE, TIMEOUT, Outcome, Runner
from autograder.text import listed

GIVEN_SECONDS = 600.0  # the longest trains for 5 to 20
OWN_SECONDS = 80.0  # what marking gives the student's own cells together; after that each has a second
SHORT_SECONDS = 1.0
DEFINED = re.compile(r"^def[ \t]+(\w+)", re.MULTILINE)


class State(enum.Enum):
    """What the visible checks say of a task; the values are shown."""

    HOLDS = "holds"
    MISSING = "missing"
    FAILS = "does not hold"
    RAISES = "raises"
    SLOW = "too slow"
    WAITS = "not reached"


@dataclass(frozen=True)
class Finding:
    """What came of a task."""

    task: Task
    state: State
    message: str = ""


@dataclass
class Checking:
    """One walk through a plan."""

    plan: Plan
    seconds: float
    progress: Callable[[Step], None]
    findings: dict[str, Finding] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    _own_seconds: float = 0.0  # that the student's own cells have taken
    _given_failed: str = ""  # what a given cell said when it could not be run
    _all_well: bool = True

    def run(self) -> list[Finding]:
        """Run what is to be run and return a finding for each task, in their order."""
        self._look()
        with Runner(self.plan.release.elsewhere) as runner:
            for place, step in enumerate(self.plan.steps):
                if self._is_needed(place, step):
                    self.progress(step)
                    self._run(runner, step)
                if not runner.alive:
                    break
        for task in self.plan.release.tasks:
            self.findings.setdefault(task.id, Finding(task, State.WAITS, self._why_not(task)))
        return [self.findings[task.id] for task in self.plan.release.tasks]

    def _look(self) -> None:
        """Find what shows without running anything."""
        for task in self.plan.release.tasks:
            cells = self.plan.own(task.id)
            if task.answer is None or any(definition(task.id).search(cell.source) for cell in cells):
                continue
            self._found(task.id, State.MISSING, _not_defined(task.id, cells))

    def _is_needed(self, place: int, step: Step) -> bool:
        if step.kind is Kind.TEST:
            return step.task not in self.findings and (self._is_answered(step.task) or self._all_well)
        if step.kind is not Kind.GIVEN:
            return True
        later = self.plan.steps[place + 1 :]
        trained = any(each.kind is Kind.TEST and not self._is_answered(each.task) for each in later)
        own = any(each.kind is Kind.OWN and not each.task for each in later)
        return self._all_well and ((trained and not self._unwritten(later)) or own)

    def _is_answered(self, task_id: str) -> bool:
        return self.plan.release.task(task_id).answer is not None

    def _unwritten(self, later: tuple[Step, ...]) -> bool:
        """Is an answer still as it was given, of those that the training waits for?"""
        last = max(
            place for place, each in enumerate(later) if each.kind is Kind.TEST and not self._is_answered(each.task)
        )
        answers = [each for each in later[:last] if each.kind is Kind.OWN and each.task]
        return any(self.plan.todo_lines <= set(map(str.strip, each.source.splitlines())) for each in answers)

    def _run(self, runner: Runner, step: Step) -> None:
        given = step.kind in (Kind.PRELUDE, Kind.GIVEN)
        started = time.monotonic()
        outcome = runner.run(step, GIVEN_SECONDS if given else self._limit(step))
        if step.kind is Kind.OWN:
            self._own_seconds += time.monotonic() - started
        if outcome.unrun:
            self.notes.append(f"In your {step.label}, {listed(list(outcome.unrun))} did nothing, as in marking.")
        if step.kind is Kind.TEST:
            self._tested(step.task, outcome)
        elif outcome.error and step.kind is Kind.OWN:
            self._own_failed(step, outcome)
        elif outcome.error:
            self._all_well = False
            self._given_failed = self._given_failed or f"{step.label}, could not be run: {_told(outcome, self.seconds)}"

    def _limit(self, step: Step) -> float:
        """Return how long a cell may run."""
        left = OWN_SECONDS - self._own_seconds if step.kind is Kind.OWN else self.seconds
        return min(self.seconds, max(left, SHORT_SECONDS))

    def _tested(self, task_id: str, outcome: Outcome) -> None:
        text = outcome.message
        match outcome.error:
            case "":
                self.findings[task_id] = Finding(self.plan.release.task(task_id), State.HOLDS)
            case "AssertionError":
                self._found(task_id, State.FAILS, text or f"The visible check failed at {outcome.where}.")
            case "NotImplementedError":
                cells = self.plan.own(task_id)
                self._found(task_id, State.MISSING, f"{text} ({cells[-1].label})" if cells else text)
            case error:
                told = _told(outcome, self.seconds)
                self._found(task_id, State.SLOW if error == TIMEOUT else State.RAISES, told[0].upper() + told[1:])

    def _own_failed(self, step: Step, outcome: Outcome) -> None:
        told = _told(outcome, self._limit(step))
        if step.task and not outcome.defined:
            state = State.SLOW if outcome.error == TIMEOUT else State.RAISES
            self._found(step.task, state, f"The answer, {step.label}, could not be run: {told}")
        elif self._all_well or outcome.error != "NameError":  # else it may want what was not run
            self.notes.append(
                f"In your {step.label}, a statement failed: {told} Marking goes on without it and what depends on it."
            )

    def _found(self, task_id: str, state: State, message: str) -> None:
        task = self.plan.release.task(task_id)
        self.findings[task_id] = Finding(task, state, message)
        self._all_well = self._all_well and task.bonus

    def _why_not(self, task: Task) -> str:
        if self._given_failed:
            return self._given_failed[0].upper() + self._given_failed[1:]
        ahead = takewhile(lambda each: each is not task, self.plan.release.tasks)
        first = [each.id for each in ahead if each.answer and self.findings[each.id].state is not State.HOLDS]
        if task.answer is None and first:
            return f"It looks at the trained model, so first: {', '.join(first)}."
        return "The check ended before it."


def _not_defined(task_id: str, cells: list[Step]) -> str:
    if not cells:
        return f"There is no cell '{task_id}' and no function of that name; take the cell from the notebook as given."
    names = [name for cell in cells for name in DEFINED.findall(cell.source)]
    found = f"it defines {', '.join(names)}" if names else "it defines no function"
    return f"Expected a function called {task_id} in {cells[-1].label}; {found}. Give it that name again."


def _told(outcome: Outcome, seconds: float) -> str:
    """Return an error as a sentence."""
    if outcome.error == GONE:
        return "the Python that ran the cells ended with it; is there an exit(), or too little memory?"
    if outcome.error == TIMEOUT:
        where = f"; it was at {outcome.where}" if outcome.where else ""
        return f"it did not end within {seconds:g} s{where}. Is there a loop without an end?"
    where = f" at {outcome.where}" if outcome.where else ""
    message = outcome.message.strip().rstrip(".")
    return f"{outcome.error}{where}: {message}." if message else f"{outcome.error}{where}."
