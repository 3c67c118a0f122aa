"""A Dask cluster as the crew of a class: on this machine, or wherever its scheduler is reached.

Dask runs what a lost worker was marking on another one; what has ended two workers comes back as KilledWorker.
"""

import contextlib
import logging
import signal
from collections.abc import Generator
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any

from autograder.errors import UsageError
from autograder.grading.worker import dismiss_judge
from autograder.render.terminal import console
from autograder.system.interrupt import held_back

try:
    import dask
    from distributed import Client, KilledWorker, LocalCluster, WorkerPlugin
    from distributed.comm.addressing import resolve_address
except ImportError:
    raise UsageError(
        "--scheduler needs Dask, which is not installed; install the extra: pip install 'autograder[cluster]'"
    ) from None

LOCAL = "local"
PATIENCE_SECONDS = 60  # for a scheduler to answer and a first worker to be there: a batch system may take its time
ALLOWED_FAILURES = 1  # workers that a submission may end before the second one ends its marking


class Cluster:
    """The workers of a Dask scheduler, one submission each at a time."""

    gave_up = (KilledWorker,)

    def __init__(self, client: Client) -> None:
        self._client = client

    def size(self) -> int:
        """Return how many workers there are now; with none left one submission waits for the next to come."""
        return max(1, len(self._client.nthreads()))

    @contextmanager
    def open(self, *, alone: bool = False) -> Generator[Executor]:
        """Return Dask's own executor."""
        executor = self._client.get_executor(pure=False)
        try:
            yield executor
        except BaseException:
            executor.shutdown(wait=False)
            raise
        executor.shutdown()


@contextmanager
def open_cluster(address: str, workers: int) -> Generator[Cluster]:
    """Reach the scheduler at an address, or start a cluster on this machine for the address "local".

    Raises UsageError where no scheduler answers or no worker comes.
    """
    if address == LOCAL:
        limit = dask.config.set({"distributed.scheduler.allowed-failures": ALLOWED_FAILURES})
        with held_back():
            local = _local(workers)
        with limit, local as cluster, _client(cluster) as client:
            yield Cluster(client)
        return
    with _client(address) as client:
        before = client.run_on_scheduler(_allow_failures, ALLOWED_FAILURES)
        try:
            yield Cluster(client)
        finally:
            client.run_on_scheduler(_allow_failures, before)


def _local(workers: int) -> LocalCluster:
    return LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        memory_limit=None,  # the judge limits the boxes; Dask would end a worker for memory that boxes share
        dashboard_address="127.0.0.1:0",  # any free port: two classes may be marked at once
        silence_logs=logging.CRITICAL,  # a lost worker is told in the report
    )


@contextmanager
def _client(to: Any) -> Generator[Client]:
    shown = to if isinstance(to, str) else LOCAL
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    try:
        if isinstance(to, str):
            resolve_address(to)  # first: a client that cannot even try takes minutes to end
            told = f"looking for a Dask scheduler at {shown}, for {PATIENCE_SECONDS} s at most"
            console(to_stderr=True).print(told, soft_wrap=True)
        client = Client(to, timeout=PATIENCE_SECONDS, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(f"no Dask scheduler answers at {shown}: {error}") from None
    with client:
        try:
            client.wait_for_workers(1, timeout=PATIENCE_SECONDS)
        except TimeoutError:
            raise UsageError(f"the Dask scheduler at {shown} has no worker; start one and try again") from None
        try:
            client.register_plugin(_Worker(), name="autograder")
        except ImportError as error:
            raise UsageError(f"the workers at {shown} have no autograder ({error}); install it there") from None
        try:
            yield client
        finally:
            client.run(dismiss_judge, on_error="ignore")


class _Worker(WorkerPlugin):
    """Leaves Ctrl-C at the terminal to the process that the person has started."""

    def setup(self, worker: Any) -> None:
        with contextlib.suppress(ValueError):  # a worker in a thread, whose process is somebody else's
            signal.signal(signal.SIGINT, signal.SIG_IGN)


def _allow_failures(count: int, dask_scheduler: Any = None) -> int:
    before = int(dask_scheduler.allowed_failures)
    dask_scheduler.allowed_failures = count
    return before
