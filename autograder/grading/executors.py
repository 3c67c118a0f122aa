"""Who marks a class: worker processes of this machine, or any executor that is lent to us (cluster.py lends Dask's)."""

import multiprocessing
import os
import time
from collections.abc import Generator, Iterable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from multiprocessing import forkserver, util
from multiprocessing.context import ForkServerContext
from threading import Thread
from typing import Any, Protocol

from autograder.errors import GraderFault
from autograder.grading.worker import PATIENCE_SECONDS, prepare_worker
from autograder.system.affinity import allowed
from autograder.system.interrupt import held_back
from autograder.system.temporary import hold_marked, remove_abandoned

PRELOAD = ["autograder.grading.preload"]


class Crew(Protocol):
    """Gives the executors that submissions are handed to."""

    @property
    def gave_up(self) -> tuple[type[Exception], ...]:
        """What a future raises when its submission has ended two workers."""

    def size(self) -> int:
        """Return how many submissions may be out at once; workers may come and go."""

    def open(self, *, alone: bool = False) -> AbstractContextManager[Executor]:
        """Return an executor; `alone`: one for a single submission, after a worker has broken the other.

        Leaving it by an exception ends what is being marked.
        """


@dataclass(frozen=True)
class Embedded:
    """Worker processes of our own: a pool, and after a worker has died a fresh one."""

    workers: int
    gave_up: tuple[type[Exception], ...] = ()

    def size(self) -> int:
        """Return the number of workers."""
        return self.workers

    @contextmanager
    def open(self, *, alone: bool = False) -> Generator[Executor]:
        """Start a pool of workers, which close their judges when they end."""
        before = set(multiprocessing.active_children())
        workers = 1 if alone else self.workers
        pool = _Pool(workers, mp_context=fork_server(), initializer=prepare_worker)
        try:
            yield pool
        except BaseException:
            manager, locks = pool.manager(), pool.locks()
            pool.shutdown(wait=False, cancel_futures=True)
            _end(set(multiprocessing.active_children()) - before)
            if manager is not None:  # it closes a pipe as it ends, which the interpreter's end may be writing to
                manager.join(PATIENCE_SECONDS)
            del locks  # only now
            raise
        pool.shutdown()


class _Pool(ProcessPoolExecutor):
    """A pool that starts its workers whole: Ctrl-C at the terminal waits until they are there to be ended."""

    def submit(self, *arguments: Any, **keywords: Any) -> Future[Any]:
        with held_back():
            return super().submit(*arguments, **keywords)

    def manager(self) -> Thread | None:
        """Return the thread that looks after the workers; `shutdown` forgets it."""
        thread: Thread | None = getattr(self, "_executor_manager_thread", None)
        return thread

    def locks(self) -> tuple[Any, ...]:
        """Return the queues, whose locks are gone with them: a worker that is just starting looks for these."""
        return getattr(self, "_call_queue", None), getattr(self, "_result_queue", None)


def fork_server() -> ForkServerContext:
    """Return what starts workers: a process without threads that has loaded the judge's libraries once.

    It and multiprocessing's own helper run `python -c`, which would look for every module in the folder that the
    command was given in first; that may be one of submissions.
    """
    os.environ["PYTHONSAFEPATH"] = "1"
    context = multiprocessing.get_context("forkserver")  # never a plain fork: the parent has threads
    context.set_forkserver_preload(PRELOAD)
    hold_marked(util.get_temp_dir())  # multiprocessing's own, with the socket of its fork server
    return context


def load_ahead() -> None:
    """Let the libraries of our own workers be loaded while this process does other things."""
    fork_server()
    with held_back():
        forkserver.ensure_running()


class Lent:
    """Any executor of the caller's, who opens and closes it."""

    gave_up: tuple[type[Exception], ...] = ()

    def __init__(self, executor: Executor, workers: int) -> None:
        self._executor = executor
        self._workers = workers

    def size(self) -> int:
        """Return how many submissions the executor takes at once."""
        return self._workers

    def open(self, *, alone: bool = False) -> AbstractContextManager[Executor]:
        """Return the executor itself; raises GraderFault when it is broken, for it is not ours to replace."""
        if alone:
            raise GraderFault("the executor has lost a worker and takes no more work; what is marked stays")
        return nullcontext(self._executor)


def clear_up() -> None:
    """Remove the folders of sockets that killed runs have left."""
    remove_abandoned("pymp-", marked=True)


def cores() -> int:
    """Return how many cores this process may use."""
    return len(allowed()) or os.cpu_count() or 1


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
