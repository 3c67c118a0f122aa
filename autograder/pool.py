"""Submissions through a pool of worker processes, of which any may die.

Only as many submissions are out as there are workers: a class of any size takes the same memory, and when a worker
dies only those few are suspects. Each is tried once more, alone in a fresh pool; what kills that worker too is
reported as our fault, for staff to look at, and the class goes on.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from itertools import islice

from autograder.marking import PATIENCE_SECONDS, Marking, grader_error, mark_in_worker, prepare_worker
from autograder.report import Report
from autograder.students import Handin

Marked = tuple[Handin, Report]


def mark_all(todo: Iterable[Handin], marking: Marking, workers: int) -> Generator[Marked]:
    """Yield each submission with its report, as they are done; closing it ends the workers at once.

    Raises what concerns every submission: IsolationMissing, UsageError.
    """
    waiting = iter(todo)
    while True:
        suspects = yield from _mark_until_a_worker_dies(waiting, marking, workers)
        if not suspects:
            return
        for handin in suspects:
            yield handin, _mark_alone(handin, marking)


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _mark_until_a_worker_dies(
    waiting: Iterator[Handin], marking: Marking, workers: int
) -> Generator[Marked, None, list[Handin]]:
    """Yield what is done; return those that were out when a worker died, none when all are done."""
    suspects: list[Handin] = []
    with _pool(workers) as pool:
        out: dict[Future[Report], Handin] = {}
        while True:
            finished: list[Marked] = []
            for future in wait(out, return_when=FIRST_COMPLETED).done:
                handin = out.pop(future)
                try:
                    finished.append((handin, future.result()))
                except BrokenExecutor:
                    suspects.append(handin)
            for handin in islice(waiting, 0 if suspects else workers - len(out)):
                try:
                    out[pool.submit(mark_in_worker, handin, marking)] = handin
                except BrokenExecutor:
                    suspects.append(handin)
                    break
            yield from finished  # after the workers have their next one: writing takes its time
            if not out:
                return suspects


def _mark_alone(handin: Handin, marking: Marking) -> Report:
    with _pool(1) as pool:
        try:
            return pool.submit(mark_in_worker, handin, marking).result()
        except BrokenExecutor:
            return grader_error(handin, marking, "this submission ended two workers, the second time alone")


@contextmanager
def _pool(workers: int) -> Generator[ProcessPoolExecutor]:
    # Never a plain fork: the parent has threads. The fork server has none, and loads the judge's libraries once.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["autograder.marking", "autograder.judge"])
    before = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=prepare_worker)
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        _end(set(multiprocessing.active_children()) - before)
        raise
    pool.shutdown()


def _end(processes: Iterable[multiprocessing.process.BaseProcess]) -> None:
    """End workers: they get a moment to close their judges."""
    processes = list(processes)
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + PATIENCE_SECONDS
    for process in processes:
        process.join(max(0.0, deadline - time.monotonic()))
        if process.exitcode is None:
            process.kill()
            process.join()
