"""What a box may use, and how it ends: memory, processes, print-outs, time; and how a keeper ends."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from autograder.sandbox import procfs
from autograder.sandbox.box_failure import BoxFailure, KeeperLost, ended
from autograder.verdict import Status
from tests.boxes import COURSE, MIB, MOUNTED, Bench, cell, descriptors, needs_bubblewrap

pytestmark = needs_bubblewrap
END_SECONDS = 120  # far more than a killed keeper needs to be gone, on a busy machine too


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    """A keeper whose boxes may have 700 MiB, of which torch has 300."""
    bench = Bench(memory_bytes=700 * MIB, processes=24)
    yield bench
    bench.stop()


# --- memory ---


@pytest.mark.parametrize(
    "greed",
    [
        "bytearray(10 ** 12)",
        "import torch; torch.zeros(10 ** 12)",
        "import numpy; numpy.zeros(10 ** 12)",
        "import mmap; mmap.mmap(-1, 1 << 30, mmap.MAP_SHARED)",
        "import mmap; mmap.mmap(-1, 1 << 30, mmap.MAP_PRIVATE)",
    ],
)
def test_one_large_request_is_a_memory_error(bench: Bench, greed: str) -> None:
    """An honest mistake is an exception that can be told of, and the box lives on."""
    assert bench.run(greed).kind == "memory"


@pytest.mark.parametrize("piece", ["bytes(64)", "[None] * 9", "bytes(5000)", "str(len(held)) * 400"])
def test_many_small_requests_are_a_memory_error_too(bench: Bench, piece: str) -> None:
    """When the last page is gone there is still enough to say so, and the box lives on."""
    source = f"held = [0] * 20_000_000\nfor i in range(20_000_000): held[i] = {piece}"
    assert bench.run(source, 90.0).kind == "memory"  # the time is none of this test's business


SHARED_FILES = """
import mmap
kept = []
for folder in ("/tmp", "/dev/shm"):
    for number in range(5):
        file = open(f"{folder}/{number}", "w+b")
        file.truncate(48 << 20)
        kept.append(mmap.mmap(file.fileno(), 48 << 20))
        kept[-1].write(b"x" * (48 << 20))
"""
CHILDREN = """
import time
for _ in range(4):
    if os.fork() == 0:
        kept = bytearray(os.urandom(1 << 20) * 200)
        time.sleep(60)
time.sleep(60)
"""


@pytest.mark.parametrize("greed", [SHARED_FILES + "import time; time.sleep(60)", CHILDREN], ids=["shared", "children"])
def test_memory_that_no_limit_counts_ends_the_box(bench: Bench, greed: str) -> None:
    """Shared mappings of files, and the memory of several processes together, are counted from outside."""
    assert bench.run(greed).status is Status.MEMORY


def test_files_are_bounded_in_number(bench: Bench) -> None:
    """Empty files take memory of the kernel's; too many end the box, and the next one finds none."""
    flood = bench.run("for n in range(10 ** 7):\n    open(f'/tmp/{n}', 'w').close()")
    assert flood.status is Status.RESOURCE
    assert bench.run("print(len(os.listdir('/tmp')))").seen == len(MOUNTED)


# --- processes ---


def test_fork_bomb_is_a_resource_verdict(bench: Bench) -> None:
    """A bomb that hides every error ends as RESOURCE, leaves nothing, and the next box works."""
    bomb = "while True:\n    try:\n        os.fork()\n    except OSError:\n        pass"
    assert bench.run(bomb, seconds=1.0).status is Status.RESOURCE
    assert list(procfs.descendants(bench.keeper.pid)) == []
    assert bench.run("print(1)").seen == 1


def test_refused_fork_is_a_resource_error(bench: Bench) -> None:
    """One process too many is an exception, threads counted."""
    start = "threading.Thread(target=threading.Event().wait, daemon=True).start()"
    assert bench.run(f"import threading\nfor _ in range(100):\n    {start}").kind == "resource"


def test_daemon_dies_with_its_box(bench: Bench) -> None:
    """A process in a session of its own, with no parent left, and the descriptors closed, is gone after the box."""
    daemon = """
import time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.closerange(0, 256)
        time.sleep(1000)
    os._exit(0)
os.wait()
print(1)"""
    with bench.box() as box:
        box.request(cell("import os" + daemon, 10.0), 10.0)
        assert len(list(procfs.descendants(bench.keeper.pid))) == 2
    assert list(procfs.descendants(bench.keeper.pid)) == []
    assert bench.keeper.usable


# --- print-outs and files ---


def test_print_out_is_kept_to_its_limit(bench: Bench) -> None:
    """Printing 20 MB costs nothing, and 64 KiB of it are kept."""
    ran = bench.run("for _ in range(20):\n    print('x' * 1_000_000)")
    assert (ran.kind, ran.status, len(ran.output)) == (None, None, 64 * 1024)
    assert ran.output_bytes == 20_000_020


def test_endless_print_out_is_an_output_verdict(bench: Bench) -> None:
    """A flood without end is called one when time is up."""
    assert bench.run("while True:\n    os.write(1, b'x' * 65536)", seconds=0.5).status is Status.OUTPUT


@pytest.mark.parametrize(
    "greed", ["open('/tmp/x', 'wb').write(b'x' * (65 << 20))", "kept = [open('/dev/null') for _ in range(500)]"]
)
def test_file_limits_are_resource_errors(bench: Bench, greed: str) -> None:
    """A file too large and one file too many open are exceptions with a name."""
    assert bench.run(greed).kind == "resource"


# --- ends ---


@pytest.mark.parametrize(
    ("end", "word"),
    [
        ("os._exit(0)", "exit code 0"),
        ("os._exit(3)", "exit code 3"),
        ("os.kill(os.getpid(), 9)", "SIGKILL"),
        ("import ctypes; ctypes.string_at(0)", "SIGSEGV"),
        ("os.abort()", "SIGABRT"),
        ("os.close(3)", "closed its connection"),
        ("sys.setrecursionlimit(10 ** 9)\ndef f(x): return max([1], key=f)\nf(1)", "SIGSEGV"),
    ],
)
def test_end_of_the_process_is_a_crash(bench: Bench, end: str, word: str) -> None:
    """However the process ends, exit code 0 too, the keeper says so and the student reads how."""
    ran = bench.run(end, seconds=5.0)
    assert ran.status is Status.CRASH
    assert word in ran.text


@pytest.mark.parametrize(
    "wait",
    ["while True: pass", "import time; time.sleep(1000)", "import signal; signal.pause()", "os.kill(os.getpid(), 19)"],
)
def test_silence_is_a_time_out(bench: Bench, wait: str) -> None:
    """A loop, a sleep, a pause and a stopped process all end when time is up, whatever signals they hide from."""
    hide = (
        "import signal\nfor n in range(1, 32):\n    try: signal.signal(n, signal.SIG_IGN)\n    except OSError: pass\n"
    )
    with bench.box() as box, pytest.raises(BoxFailure) as caught:
        box.request(cell("import os\n" + hide + wait, 100.0), 0.5)
    assert caught.value.status is Status.TIMEOUT


def test_processor_time_is_told_apart_from_a_crash() -> None:
    """SIGXCPU is the limit of processor time, not an error of the student's."""
    assert ended(-signal.SIGXCPU).status is Status.TIMEOUT


def test_boxes_leave_no_descriptor_behind(bench: Bench) -> None:
    """Ten boxes, among them some that crash, leave the judge with as many open files as before."""
    bench.run("pass")
    before = descriptors()
    for number in range(10):
        bench.run("os._exit(1)" if number % 2 else "pass")
    assert descriptors() == before


# --- the keeper's end ---


def test_killed_keeper_is_lost_and_replaced() -> None:
    """A keeper that dies under a box is told apart from a crash of the box, leaks nothing, and a new one works."""
    before = descriptors()
    bench = Bench()
    with bench.box() as box:
        os.kill(bench.keeper.pid, signal.SIGKILL)
        with pytest.raises(KeeperLost):
            box.request(cell("import time; time.sleep(100)", 100.0), 10.0)
    assert not bench.keeper.usable
    assert bench.run("print(1)").seen == 1
    bench.stop()
    assert descriptors() == before


def test_nothing_outlives_a_killed_judge() -> None:
    """SIGKILL to the judge ends the keeper, the box and a daemon of the box's."""
    script = f"""
import sys
sys.path.insert(0, {str(COURSE)!r})
from tests.boxes import Bench, cell
bench = Bench()
box = bench.box()
box.request(cell("import os, time\\nif os.fork() == 0:\\n    os.setsid()\\n    time.sleep(1000)", 10.0), 10.0)
print(bench.keeper.pid, flush=True)
sys.stdin.read()
"""
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd="/") as judge:
        assert judge.stdout is not None
        keeper = int(judge.stdout.readline())
        handles = [os.pidfd_open(pid) for pid in (keeper, *procfs.descendants(keeper))]
        judge.kill()
    assert len(handles) == 3
    for handle in handles:
        assert select.select([handle], [], [], END_SECONDS)[0]
        os.close(handle)
