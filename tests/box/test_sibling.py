"""A process that is forked as a child of our own parent, in both ways."""

import subprocess
import sys

import pytest

PROGRAM = """
import ctypes, os, signal, sys, threading
from autograder.box import sibling
way = sibling.fork_sibling if sys.argv[1] == "clone" else sibling._fork_twice
read, write = os.pipe()
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # orphans come to us
middle = os.fork()
if middle == 0:
    me = os.getpid()
    os.register_at_fork(after_in_child=lambda: os.write(write, b"hook "))
    if way():
        own = os.getpid() != me and threading.get_native_id() == os.getpid()
        os.write(write, b"child " if own else b"parent ")
        signal.raise_signal(signal.SIGUSR1)  # libc sends it by the thread's id in its memory
        os._exit(3)
    os._exit(0)
found = {}
while True:
    try:
        pid, status = os.wait()
    except ChildProcessError:
        break
    found[pid == middle] = os.waitstatus_to_exitcode(status)
os.close(write)
print(os.read(read, 100).decode().split(), found)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="a system call of Linux's")
@pytest.mark.parametrize("way", ["clone", "twice"])
def test_new_process_is_a_child_of_our_parent(way: str) -> None:
    """It knows its own id, Python's hooks have run in it, a signal to itself reaches it, and our parent reaps it."""
    done = subprocess.run([sys.executable, "-c", PROGRAM, way], capture_output=True, text=True, timeout=60, check=True)
    words, _, found = done.stdout.partition("]")
    assert "child" in words
    assert "hook" in words
    assert found.strip() in ("{True: 0, False: -10}", "{False: -10, True: 0}"), done.stdout


REFUSED = """
import os, resource
from autograder.box.sibling import fork_sibling
if os.geteuid() == 0:
    os.setresuid(54321, 54321, 54321)  # no limit binds root
resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))
fork_sibling()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="a system call of Linux's")
def test_fork_that_is_refused_is_an_error() -> None:
    """Where the user may have no more processes."""
    done = subprocess.run([sys.executable, "-c", REFUSED], capture_output=True, text=True, timeout=60, check=False)
    assert "BlockingIOError" in done.stderr
