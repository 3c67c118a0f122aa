"""A process that marks submissions one after the other and keeps its judge warm between them."""

import gc
import os
import platform
import signal
import threading
import time
from contextlib import AbstractContextManager
from multiprocessing import connection, parent_process, util

from autograder.errors import UsageError
from autograder.grading.job import Job, Marker, Marking, mark
from autograder.grading.provenance import how_marked, in_one
from autograder.report import GRADER_ERROR, Report

PATIENCE_SECONDS = 5.0  # for a worker to close its judge; then it is ended


def mark_in_worker(job: Job) -> Report:
    """Return the report on one submission, marked by the judge that this worker keeps open.

    A process has one judge; where an executor calls from several threads, they wait for one another.
    Raises UsageError when the worker would mark in another way than the one who asks.
    """
    with _Worker.lock:
        try:
            _Worker.check_marks_as(job)
            report = mark(lambda: _Worker.judge_for(job.marking), job.handin, job.marking, job.regrade)
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
