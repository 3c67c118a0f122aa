"""Without namespaces: the walls that remain, and the truth about those that do not; as root and as an ordinary user."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.box import landlock
from autograder.box.messages import Read
from autograder.sandbox import procfs
from autograder.sandbox.box_failure import BoxFailure
from autograder.sandbox.bubblewrap import PACKAGE
from autograder.verdict import Status
from tests.accounts import reachable_folder
from tests.boxes import COURSE, MIB, Bench, cell, needs_linux

pytestmark = needs_linux
needs_landlock = pytest.mark.skipif(
    sys.platform != "linux" or landlock.version() == 0, reason="this kernel has no Landlock"
)
NOBODY = 65534
# These run as another user too, see the last test.
SAME_FOR_EVERY_USER = ("sandbox/test_without_namespaces.py", "sandbox/test_keeper.py")


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    """A keeper without namespaces."""
    bench = Bench(isolation="process", memory_bytes=700 * MIB, processes=24)
    yield bench
    bench.stop()


def readable(bench: Bench, path: Path) -> bool:
    """Ask a box without student code whether a file, or one below a folder, can be read."""
    with bench.box() as box:
        return box.request(Read([str(path)]), 10.0).yes


@needs_landlock
@pytest.mark.parametrize(
    "path", [PACKAGE / "assignments", COURSE / "source", COURSE / "tests", Path("/proc"), Path("/etc/passwd")], ids=str
)
def test_landlock_hides_the_course(bench: Bench, path: Path) -> None:
    """Where the kernel has Landlock, checks, source, other processes and accounts cannot be read."""
    assert not readable(bench, path)


def test_what_can_be_read_is_said_to_be(bench: Bench) -> None:
    """The question itself answers yes where a file lies open, so its no means something."""
    assert readable(bench, Path(os.__file__))
    assert readable(bench, Path(os.__file__).parent / "json")


REFUSED = {
    "signal_to_keeper": "os.kill({keeper}, 9)",
    "signal_to_judge": "os.kill({judge}, 9)",
    "signal_to_all": "os.kill(-1, 9)",
    "thread_signal": "syscall(234, 131, {judge}, {judge}, 9)",
    "own_session": "os.setsid()",
    "own_group": "os.setpgid(0, 0)",
    "internet": "import socket; socket.socket()",
    "local_socket": "import socket; socket.socket(socket.AF_UNIX)",
    "nice_of_user": "os.setpriority(os.PRIO_USER, 0, 19)",
    "keeper_memory": "open('/proc/{keeper}/mem', 'rb')",
    "memfd": "os.memfd_create('x')",
}


@pytest.mark.parametrize("way", REFUSED)
def test_neighbours_are_out_of_reach(bench: Bench, way: str) -> None:
    """Judge and keeper cannot be ended, no group or session left, no socket made."""
    bench.run("pass")
    before = bench.keeper.pid
    assert bench.run(REFUSED[way].format(keeper=before, judge=os.getpid())).kind == "blocked"
    assert (bench.keeper.pid, bench.keeper.usable) == (before, True)


def test_pairs_of_sockets_stay(bench: Bench) -> None:
    """What asyncio and multiprocessing are made of works."""
    ran = bench.run("import asyncio\nasync def main(): return 1\nassert asyncio.run(main()) == 1")
    assert (ran.kind, ran.status) == (None, None)


def test_box_ends_with_all_it_has_started(bench: Bench) -> None:
    """Orphans of a box, one of which forks on and on, are gone after it, and the keeper goes on."""
    chain = """
if os.fork() == 0:
    while True:
        if os.fork():
            os._exit(0)
"""
    daemon = "import os, time\nif os.fork() == 0:\n    if os.fork() == 0:\n        time.sleep(1000)\n    os._exit(0)\n"
    before = bench.keeper.pid
    with bench.box() as box:
        box.request(cell(daemon + chain, 10.0), 10.0)
        group = box.pid
    with pytest.raises(ProcessLookupError):
        os.killpg(group, 0)
    assert list(procfs.descendants(bench.keeper.pid)) == []
    assert bench.run("print(1)").seen == 1
    assert bench.keeper.pid == before


def test_fork_bomb_is_a_resource_verdict(bench: Bench) -> None:
    """The bomb meets the limit of processes, and the next box works."""
    bomb = "while True:\n    try:\n        os.fork()\n    except OSError:\n        pass"
    assert bench.run(bomb, seconds=1.0).status is Status.RESOURCE
    assert bench.run("print(1)").seen == 1


def test_full_scratch_is_a_resource_verdict(bench: Bench) -> None:
    """Many files of a legal size end the box before they fill the machine's disk, and are gone after it."""
    flood = """
import tempfile
for number in range(1000):
    with open(os.path.join(tempfile.gettempdir(), str(number)), "wb") as file:
        file.write(bytes(32 << 20))"""
    assert bench.run(flood, seconds=60.0).status is Status.RESOURCE
    assert bench.run("import tempfile\nprint(len(os.listdir(tempfile.gettempdir())))").seen == 0


def test_memory_and_time_have_their_limits(bench: Bench) -> None:
    """Greed is an exception or a verdict, silence a time-out."""
    assert bench.run("bytearray(10 ** 12)").kind == "memory"
    with bench.box() as box, pytest.raises(BoxFailure) as caught:
        box.request(cell("import time; time.sleep(100)", 100.0), 0.5)
    assert caught.value.status is Status.TIMEOUT


def test_keeper_leaves_nothing_behind() -> None:
    """After the keeper its scratch folder is gone, and so is a box that was still open."""
    bench = Bench(isolation="process")
    box = bench.box()
    box.request(cell("import os, time\nif os.fork() == 0:\n    time.sleep(1000)", 10.0), 10.0)
    scratch = bench.keeper._launched.scratch
    assert scratch is not None
    assert os.path.isdir(scratch)
    handle = os.pidfd_open(box.pid)
    bench.stop()
    assert select.select([handle], [], [], 120)[0]
    os.close(handle)
    assert not os.path.exists(scratch)
    box.__exit__()


SLOW_KILLER = """
import os, time
from autograder.box import clean_up
os.geteuid = lambda: 0
os.setresuid = lambda *users: time.sleep(0.1)
os.kill = lambda pid, number: None
clean_up.descendants = lambda root: set()
clean_up.KILL_SECONDS = 3.0
print(clean_up.kill_everything((), 12345))
"""


def test_keeper_does_not_take_its_own_killer_for_a_leftover() -> None:
    """On a busy machine that one takes longer to end than the keeper takes to look again."""
    command = [sys.executable, "-c", SLOW_KILLER]
    done = subprocess.run(command, cwd=COURSE, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "True\n"


def ordinary_python() -> str | None:
    """Return an interpreter that user `nobody` can run with our packages: this one, or AUTOGRADER_TEST_PYTHON."""
    for python in (sys.executable, os.environ.get("AUTOGRADER_TEST_PYTHON", "")):
        command = [python, "-c", "import torch, pytest, hypothesis, pyseccomp, tests.boxes"]
        if python and as_nobody(command, capture_output=True).returncode == 0:
            return python
    return None


def as_nobody(command: list[str], **options: object) -> subprocess.CompletedProcess[str]:
    """Run a command as an ordinary user without groups, in the course folder."""
    try:
        return subprocess.run(  # type: ignore[call-overload, no-any-return]
            command,
            cwd=COURSE,
            user=NOBODY,
            group=NOBODY,
            extra_groups=[],
            text=True,
            check=False,
            env={"PATH": os.environ["PATH"], "HOME": "/tmp", "LANG": "C.UTF-8"},
            **options,
        )
    except OSError as error:  # an interpreter below a closed home
        return subprocess.CompletedProcess(command, 126, "", str(error))


@pytest.mark.root
@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="needs root, to become an ordinary user")
def test_walls_stand_for_an_ordinary_user_too() -> None:
    """The tests of the walls, run as `nobody`, pass: user namespaces and a shared user are another path than root's."""
    python = ordinary_python()
    if python is None:
        pytest.skip("no interpreter that `nobody` can run; name one by AUTOGRADER_TEST_PYTHON")
    files = [f"tests/{name}" for name in SAME_FOR_EVERY_USER]
    with reachable_folder() as folder:
        folder.chmod(0o777)
        options = ["-q", "-x", "-p", "no:cacheprovider", f"--basetemp={folder / 'nobody'}"]
        done = as_nobody([python, "-B", "-m", "pytest", *options, *files], capture_output=True, timeout=600)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
