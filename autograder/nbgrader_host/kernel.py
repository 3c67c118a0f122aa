"""The hidden checks in the kernel of a stock nbgrader.

For a course that runs `nbgrader autograde` as it is: the hidden part of each test cell calls `mark`, whose value
nbgrader takes as the points. The checks are the same as the judge's. The promises of trust are not
kept here: the student's code shares this process, and could read the checks or change the points.
"""

import hashlib
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import torch

from autograder.assignment import Assignment, load_assignment
from autograder.box.answerer import Answerer
from autograder.box.messages import R, Request
from autograder.checking.exception_text import Place
from autograder.checking.student import Answering, Student
from autograder.course import find_course
from autograder.judge.pytest_plugin import run_checks
from autograder.judge.run import Run, prepared
from autograder.report import TaskResult
from autograder.settings import Settings
from autograder.verdict import CheckFailed, Status


class LocalStudent(Student):
    """The functions of a namespace in this process."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        super().__init__()
        self._started = time.monotonic()
        self._answer: Answering = self.answer
        self._answerer = Answerer(namespace, lambda question: self._answer(question))

    def request(self, message: Request[R], answer: Answering) -> R:
        """Answer a request right here."""
        self._answer = answer
        reply: R = self._answerer.answer(message)
        return reply

    def seconds_left(self) -> float:
        """Return what is left of a submission's usual time; a kernel enforces none."""
        return Settings.submission_seconds - (time.monotonic() - self._started)

    def place(self, function: str) -> Place:
        """Return the function's name; a kernel does not tell which cell it came from."""
        return Place(function)

    def undefined(self, function: str) -> CheckFailed:
        """Return that there is no such function."""
        return CheckFailed(Status.NOT_ATTEMPTED, f"The notebook defines no function {function}.")


class LocalStudents:
    """The one submission of this process."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        self._namespace = namespace

    def open(self, task: str) -> AbstractContextManager[Student]:
        """Return the functions for the checks of a task."""
        return nullcontext(LocalStudent(self._namespace))

    def run_again(self) -> bool:
        """Say that what a kernel has done is done."""
        return False


_runs: dict[int, Run] = {}  # one a kernel: later tasks ask what became of earlier ones


def mark(task_id: str, assignment: str | None = None) -> float:
    """Run the hidden checks of a task on the functions of this notebook, print the verdicts, return the points.

    As the last line of a test cell its value is the partial credit that nbgrader records. Without the name of an
    assignment the only one of the course is meant.
    """
    namespace = _notebook_namespace()
    result = mark_namespace(load_assignment(find_course(Path.cwd()), assignment), namespace, task_id)
    for check in result.checks:
        print(f"{'held' if check.status is Status.PASSED else check.status.value:>13}  {check.title}")
        if check.message:
            print(f"{'':>13}  {check.message}")
    print("These checks ran inside the notebook's own kernel: a mark that counts comes from `autograder score`.")
    return result.score


def mark_namespace(assignment: Assignment, namespace: dict[str, Any], task_id: str) -> TaskResult:
    """Return the result of one task for the functions of a namespace in this process."""
    task = assignment.task(task_id)
    run = _runs.get(id(namespace))
    if run is None:
        seed = hashlib.sha256(assignment.prelude_sha256.encode()).hexdigest()
        run = _runs[id(namespace)] = Run(assignment, LocalStudents(namespace), seed, prepared(assignment))
    run.outcomes.pop(task_id, None)
    with _float32_on_the_cpu():
        run_checks(run, [task_id])
    return run.result(task)


@contextmanager
def _float32_on_the_cpu() -> Iterator[None]:
    """Let checks and calls find torch's own defaults, and the notebook its own afterwards."""
    dtype, device = torch.get_default_dtype(), getattr(torch._GLOBAL_DEVICE_CONTEXT, "device_context", None)
    torch.set_default_dtype(torch.float32)
    torch.set_default_device(None)
    try:
        yield
    finally:
        torch.set_default_dtype(dtype)
        torch.set_default_device(device.device if device is not None else None)


def _notebook_namespace() -> dict[str, Any]:
    """Return the namespace of the running notebook."""
    from IPython import get_ipython

    shell = get_ipython()
    if shell is not None:
        namespace: dict[str, Any] = shell.user_ns
        return namespace
    import __main__

    return vars(__main__)
