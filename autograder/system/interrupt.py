"""Ctrl-C at a terminal reaches every process of the command; it is the business of the one that the person started."""

import signal
from collections.abc import Generator
from contextlib import contextmanager
from multiprocessing import resource_tracker


@contextmanager
def held_back() -> Generator[None]:
    """Hold Ctrl-C back: for this thread until it is left, for the processes that it starts meanwhile for good.

    Else one of them that is still importing would end with a trace-back on the person's terminal.
    """
    resource_tracker.ensure_running()  # before: it lets Ctrl-C through again when it is started
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
