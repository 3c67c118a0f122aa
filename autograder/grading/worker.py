"""One submission to one report, whatever happens: in this process, or in a worker that keeps its judge warm."""

from __future__ import annotations

import gc
import os
import platform
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from multiprocessing import connection, parent_process, util
from pathlib import Path
from typing import Any, Protocol

from autograder import __version__
from autograder.assignment import Assignment
from autograder.errors import GraderFault, IsolationMissing, Unreadable, UsageError
from autograder.intake.class_folder import Handin, file_sha256, student_id
from autograder.judge.regrade import Again
from autograder.report import GRADER_ERROR, UNREADABLE, Report, unmarked
from autograder.settings import Settings
from autograder.system.imports import uncollected

PATIENCE_SECONDS = 5.0  # for a worker to close its judge; then it is ended
NO_FAULT = "The grader failed while it marked this submission. No points are lost; the course staff can see why."
NO_NOTEBOOK = "No notebook was handed in: the folder holds no file that ends in .ipynb. Hand one in and try again."
NOTHING = "Nothing was handed in. If it was, tell the course staff; it has not arrived."


class Marker(Protocol):
    """What a judge can do."""

    def mark(self, path: Path, student: str, again: Again | None = None) -> Report:
        """Return the report on one notebook; `again`: some tasks are marked, the others kept."""
        ...


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
    again: Again | None = None  # mark some tasks only


def mark(judge: Callable[[], Marker], handin: Handin, marking: Marking, again: Again | None = None) -> Report:
    """Return the report on one submission, one about our own fault too; `judge` opens or returns the judge.

    Raises IsolationMissing and UsageError, which concern every submission.
    """
    if handin.notebook is None:
        return _unmarked(handin, marking, UNREADABLE, NO_NOTEBOOK if handin.handed_in else NOTHING)
    try:
        report = judge().mark(handin.notebook, handin.student, again)
    except Unreadable as error:
        return _unmarked(handin, marking, UNREADABLE, str(error))
    except (IsolationMissing, UsageError):
        raise
    except Exception as error:
        return grader_error(handin, marking, str(error) if isinstance(error, GraderFault) else repr(error))
    return replace(report, warnings=handin.notices + report.warnings)


def grader_error(handin: Handin, marking: Marking, fault: str) -> Report:
    """Return the report on a submission that we failed on; staff find the fault and the trace-back in it."""
    trace = traceback.format_exc() if sys.exc_info()[0] else None
    return _unmarked(handin, marking, GRADER_ERROR, NO_FAULT, staff={"fault": fault, "traceback": trace})


def mark_in_worker(job: Job) -> Report:
    """Return the report on one submission, marked by the judge that this worker keeps open.

    A process has one judge; where an executor calls from several threads, they wait for one another.
    Raises UsageError when the worker would mark in another way than the one who asks.
    """
    with _Worker.lock:
        try:
            _Worker.check_marks_as(job)
            report = mark(lambda: _Worker.judge_for(job.marking), job.handin, job.marking, job.again)
        except BaseException:
            _Worker.close()
            raise
        gc.collect()  # 7 MB of each marking hang in cycles; what is imported is frozen, so this takes 6 ms
        # What failed once is not trusted with the next submission.
        if report.status == GRADER_ERROR or _Worker.leaving:
            _Worker.close()
        return report


def prepare_worker() -> None:
    """Make a worker end with its parent and on SIGTERM, closing its judge; Ctrl-C is the parent's business."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    util.Finalize(None, _Worker.close, exitpriority=10)  # atexit does not run in workers
    threading.Thread(target=_follow_parent, daemon=True).start()
    signal.signal(signal.SIGTERM, _leave)  # last: until here there is nothing to close


def dismiss_judge() -> None:
    """Close the judge of a worker that lives on, at once or after what it is marking."""
    _Worker.leaving = True
    if _Worker.lock.acquire(blocking=False):
        try:
            _Worker.close()
        finally:
            _Worker.lock.release()


class _Worker:
    """The judge of this worker process."""

    lock = threading.Lock()
    leaving = False
    marking: Marking | None = None
    how: str | None = None  # how this worker marks; asked once for a `marking`
    context: AbstractContextManager[Marker] | None = None
    judge: Marker | None = None

    @classmethod
    def judge_for(cls, marking: Marking) -> Marker:
        if cls.judge is None or cls.marking != marking:
            cls.close()
            context = marking.open_judge(marking.assignment, marking.settings, marking.isolation)
            cls.judge = context.__enter__()
            cls.context, cls.marking, cls.leaving = context, marking, False
        return cls.judge

    @classmethod
    def check_marks_as(cls, job: Job) -> None:
        if job.how and (cls.how is None or cls.marking != job.marking):
            from autograder.grading.provenance import how_marked, in_one

            cls.how = in_one(how_marked(job.marking))
        if job.how and cls.how != job.how:
            raise UsageError(
                f"the worker on {platform.node()} would mark in another way: its autograder, its libraries or the "
                f"course at {job.marking.assignment.course} differ; install the same there, or share the folders"
            )

    @classmethod
    def close(cls) -> None:
        context, cls.context, cls.judge = cls.context, None, None
        if context is not None:
            context.__exit__(None, None, None)


def _leave(*_: object) -> None:
    # What is being marked may catch the exception, as the pool does around each job; its worker would then wait for
    # more work, perhaps at a lock that another one has taken to its grave, and the pool for the worker. Hence the end.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE_SECONDS)
    raise SystemExit(1)


def _follow_parent() -> None:
    # A killed parent closes no queue that its workers wait on, since they hold both ends of it themselves.
    parent = parent_process()
    if parent is None:
        return
    server = os.getppid()  # which starts workers; without it the parent takes this one for lost
    while os.getppid() == server and not connection.wait([parent.sentinel], timeout=1.0):
        pass
    # The first signal ends what is being marked; the second one the worker, which then waits for work in vain.
    for _ in range(2):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(PATIENCE_SECONDS / 2)
    os._exit(1)


def _unmarked(handin: Handin, marking: Marking, status: str, reason: str, **known: Any) -> Report:
    return unmarked(
        handin.student,
        status,
        reason,
        marking.assignment.tasks,
        isolation=marking.isolation,
        file=student_id(handin.notebook.name) if handin.notebook else "",
        sha256=file_sha256(handin.notebook),
        versions={"autograder": __version__, "python": platform.python_version()},
        warnings=handin.notices,
        **known,
    )
