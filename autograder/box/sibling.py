"""Forks a process that is a child of our own parent: a copy of a box belongs to the keeper, who reaps it.

Linux calls that CLONE_PARENT. Neither Python nor libc offers it, so this does what their fork does around the system
call: Python's hooks run, and the thread's id in libc's memory, at `set_tid_address`, is set anew in the child. A second
fork whose parent ends at once comes to the same, and takes three times as long.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal

CLONE_PARENT, CLONE_CHILD_CLEARTID, CLONE_CHILD_SETTID = 0x8000, 0x200000, 0x1000000
PR_GET_TID_ADDRESS = 40
CLONE = {"x86_64": 56, "aarch64": 220}  # the number of the system call
_libc = ctypes.PyDLL(None, use_errno=True)  # which keeps Python's lock, as a fork must


def fork_sibling() -> bool:
    """Fork; return True in the new process. Raises OSError."""
    address = ctypes.c_void_p()
    machine = os.uname().machine
    if machine not in CLONE or _libc.prctl(PR_GET_TID_ADDRESS, ctypes.byref(address), 0, 0, 0) != 0:
        return _fork_twice()
    flags = CLONE_PARENT | CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID | signal.SIGCHLD
    # The two kinds of machines have the last two arguments, of which one is looked at, in different orders.
    numbers = map(ctypes.c_ulong, (CLONE[machine], flags, 0, 0, address.value or 0, address.value or 0))
    ctypes.pythonapi.PyOS_BeforeFork()
    pid = _libc.syscall(*numbers)
    if pid == 0:
        ctypes.pythonapi.PyOS_AfterFork_Child()
        return True
    error = ctypes.get_errno()
    ctypes.pythonapi.PyOS_AfterFork_Parent()
    if pid < 0:
        raise OSError(error, os.strerror(error))
    return False


def _fork_twice() -> bool:
    between = os.fork()
    if between == 0:
        with contextlib.suppress(OSError):
            if os.fork() == 0:
                return True
        os._exit(0)
    os.waitpid(between, 0)
    return False
