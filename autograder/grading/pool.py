"""Submissions through a crew of workers, of which any may die.

Only as many submissions are out as there are workers: a class of any size takes the same memory, and when a worker
dies only those few are suspects. Each is tried once more, alone in a fresh pool; what kills that worker too is
reported as our fault, for staff to look at, and the class goes on. A cluster does the same by itself.
"""

from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Future, wait
from contextlib import contextmanager
from itertools import islice

from autograder.errors import GraderFault
from autograder.grading.executors import Crew
from autograder.grading.job import Job, grader_error
from autograder.grading.worker import mark_in_worker
from autograder.report import Report

Marked = tuple[Job, Report]
# How a pool ends that has lost a worker, or the server that starts them: this shows while one is asked for.
LOST = (BrokenExecutor, ConnectionError, EOFError)


def mark_all(jobs: Iterable[Job], crew: Crew) -> Generator[Marked]:
    """Yield each job with its report, as they are done; closing it ends the workers at once.

    Raises what concerns every submission: IsolationMissing, UsageError, GraderFault.
    """
    waiting = iter(jobs)
    while True:
        suspects = yield from _mark_until_a_worker_dies(waiting, crew)
        if not suspects:
            return
        for job in suspects:
            yield job, _mark_alone(job, crew)


def _mark_until_a_worker_dies(waiting: Iterator[Job], crew: Crew) -> Generator[Marked, None, list[Job]]:
    """Yield what is done; return those that were out when a worker died, none when all are done."""
    suspects: list[Job] = []
    out: dict[Future[Report], Job] = {}
    with crew.open() as executor, _cancelled_after(out):
        while True:
            finished: list[Marked] = []
            for future in wait(out, return_when=FIRST_COMPLETED).done:
                job = out.pop(future)
                try:
                    finished.append((job, _result(future, job, crew)))
                except LOST:
                    suspects.append(job)
            for job in islice(waiting, 0 if suspects else max(0, crew.size() - len(out))):
                try:
                    out[executor.submit(mark_in_worker, job)] = job
                except LOST:
                    suspects.append(job)
                    break
            yield from finished  # after the workers have their next one: writing takes its time
            if not out:
                return suspects


@contextmanager
def _cancelled_after(out: dict[Future[Report], Job]) -> Generator[None]:
    try:
        yield
    finally:
        for future in out:
            future.cancel()


def _mark_alone(job: Job, crew: Crew) -> Report:
    for _ in range(2):  # the worker that was lost before may have been a neighbour's doing
        with crew.open(alone=True) as executor:
            try:
                return _result(executor.submit(mark_in_worker, job), job, crew)
            except LOST:
                pass
    return grader_error(job.handin, job.marking, "this submission ended two workers, alone in each")


def _result(future: Future[Report], job: Job, crew: Crew) -> Report:
    try:
        return future.result()
    except crew.gave_up as error:
        return grader_error(job.handin, job.marking, f"this submission ended two workers: {error}")
    except CancelledError:
        raise GraderFault("the workers were lost; what is marked stays, run the same command again") from None
