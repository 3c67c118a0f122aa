"""What marking is asked for, and what always comes of it: a report, one about our own fault too."""

import platform
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from autograder import __version__
from autograder.assignment import Assignment
from autograder.errors import GraderFault, IsolationMissing, Unreadable, UsageError
from autograder.intake.class_folder import Handin, file_sha256, student_id
from autograder.judge.regrade import Regrade
from autograder.report import GRADER_ERROR, UNREADABLE, Report, unmarked
from autograder.settings import Settings
from autograder.system.imports import uncollected

NO_FAULT = "The grader failed while it marked this submission. No points are lost; the course staff can see why."
NO_NOTEBOOK = "No notebook was handed in: the folder holds no file that ends in .ipynb. Hand one in and try again."
NOTHING = "Nothing was handed in. If it was, tell the course staff; it has not arrived."


class Marker(Protocol):
    """What a judge can do."""

    def mark(self, path: Path, student: str, regrade: Regrade | None = None) -> Report:
        """Return the report on one notebook; `regrade`: some tasks are marked, the others kept."""


def open_judge(assignment: Assignment, settings: Settings, isolation: str) -> AbstractContextManager[Marker]:
    """Return the real judge; imported here, so that only the process that marks loads torch."""
    if "autograder.judge.judge" not in sys.modules:
        return _open_with_keeper_ahead(assignment, settings, isolation)
    from autograder.judge.judge import Judge

    return Judge(assignment, settings, isolation)


@contextmanager
def _open_with_keeper_ahead(assignment: Assignment, settings: Settings, isolation: str) -> Iterator[Marker]:
    """Start the first keeper before the judge is imported, so that the two import torch side by side."""
    from autograder.sandbox.launch import Launched, Place, imported_by

    prelude = tuple(cell.source for cell in assignment.prelude)
    launched = Launched(Place(isolation, assignment.course, imports=imported_by(prelude)))
    try:
        with uncollected():
            from autograder.judge.judge import Judge

        judge = Judge(assignment, settings, isolation, launched)
    except BaseException:
        launched.stop()
        raise
    with judge:
        yield judge


@dataclass(frozen=True)
class Marking:
    """How submissions are marked; small enough to travel with each of them to any executor."""

    assignment: Assignment
    settings: Settings
    isolation: str
    open_judge: Callable[[Assignment, Settings, str], AbstractContextManager[Marker]] = open_judge


@dataclass(frozen=True)
class Job:
    """What is sent to a worker: one submission, and how it is marked."""

    handin: Handin
    marking: Marking
    how: str = ""  # a hash of all else that decides a mark, which must be the same where the worker is; "": not asked
    regrade: Regrade | None = None  # mark some tasks only


def mark(judge: Callable[[], Marker], handin: Handin, marking: Marking, regrade: Regrade | None = None) -> Report:
    """Return the report on one submission, one about our own fault too; `judge` opens or returns the judge.

    Raises IsolationMissing and UsageError, which concern every submission.
    """
    if handin.notebook is None:
        return _unmarked(handin, marking, UNREADABLE, NO_NOTEBOOK if handin.handed_in else NOTHING)
    try:
        report = judge().mark(handin.notebook, handin.student, regrade)
    except Unreadable as error:
        return _unmarked(handin, marking, UNREADABLE, str(error))
    except (IsolationMissing, UsageError):
        raise
    except Exception as error:
        return grader_error(handin, marking, str(error) if isinstance(error, GraderFault) else repr(error))
    return replace(report, warnings=handin.notices + report.warnings)


def mark_alone(handin: Handin, marking: Marking) -> Report:
    """Return the report that `mark` does, by a judge of this submission's own, opened where one is needed."""
    with ExitStack() as stack:
        context = marking.open_judge(marking.assignment, marking.settings, marking.isolation)
        return mark(lambda: stack.enter_context(context), handin, marking)


def grader_error(handin: Handin, marking: Marking, fault: str) -> Report:
    """Return the report on a submission that we failed on; staff find the fault and the trace-back in it."""
    trace = traceback.format_exc() if sys.exc_info()[0] else None
    return _unmarked(handin, marking, GRADER_ERROR, NO_FAULT, staff={"fault": fault, "traceback": trace})


def _unmarked(handin: Handin, marking: Marking, status: str, reason: str, **known: Any) -> Report:
    return unmarked(
        marking.assignment,
        handin.student,
        status,
        reason,
        isolation=marking.isolation,
        file=student_id(handin.notebook.name) if handin.notebook else "",
        sha256=file_sha256(handin.notebook),
        versions={"autograder": __version__, "python": platform.python_version()},
        warnings=handin.notices,
        **known,
    )
