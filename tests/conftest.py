"""What holds for all tests: their order, what they may leave behind, and how Hypothesis draws."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import sys
import tempfile
import warnings
from collections.abc import Generator
from functools import cache
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from autograder.system.cache import VARIABLE

# The same examples each time, and no clock: a machine may be busy. Hidden checks have settings and seeds of their own.
hypothesis.settings.register_profile(
    "tests", derandomize=True, deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("tests")

OURS_TO_THE_END = ("forkserver", "resource_tracker", "semaphore_tracker")  # Python's own, one a process
HELD = pytest.StashKey[tuple[int, set[int]]]()


def pytest_configure(config: pytest.Config) -> None:
    """Heed Ctrl-C, and let what tests start heed it: tests that run in the background inherit that it is ignored.

    What marking keeps between runs goes into a folder for all tests, never into that of whoever runs them.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if not hasattr(config, "workerinput"):  # a worker inherits it
        folder = tempfile.mkdtemp(prefix="autograder-tests-cache-")
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
        os.environ[VARIABLE] = folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let slow tests run first, groups ahead, so that in the end no worker waits for another; else keep the order."""
    items.sort(key=lambda item: [item.get_closest_marker(name) is None for name in ("slow", "xdist_group")])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Send the tests of a file that is an `xdist_group` to one worker.

    `--dist loadgroup` does not with pytest 9.2: xdist 3.8 writes the group into an attribute that nobody reads.
    """
    from xdist.scheduler import LoadScopeScheduling

    class Grouped(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return file if is_group(config.rootpath / file) else nodeid

    return Grouped(config, log)


@cache
def is_group(file: Path) -> bool:
    """Return whether the tests of a file share something that one worker makes."""
    return "pytest.mark.xdist_group(" in file.read_text(encoding="utf-8")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, None, None]:
    """Note what is open before a test."""
    item.stash[HELD] = len(descriptors()), children()
    yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, None, None]:
    """Fail the test that leaves open what nobody holds any more: collected later, a test that has not done it fails."""
    yield
    files, processes = item.stash[HELD]
    last_of_its_module = nextitem is None or nextitem.path != item.path
    if last_of_its_module or len(descriptors()) > files or children() - processes:
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always", ResourceWarning)
            gc.collect()
        left = [str(each.message) for each in found if issubclass(each.category, ResourceWarning)]
        if left:
            pytest.fail(f"left open by this test, or one before it in its file: {'; '.join(left)}", pytrace=False)


def descriptors() -> list[str]:
    """Return the files that this process has open."""
    return os.listdir("/proc/self/fd") if sys.platform == "linux" else []


def children() -> set[int]:
    """Return the processes that this one has started, and that have not ended or were not waited for."""
    found: set[int] = set()
    for thread in Path("/proc/self/task").glob("*/children") if sys.platform == "linux" else ():
        try:
            found.update(map(int, thread.read_text().split()))
        except OSError:  # the thread has ended
            continue
    return found
