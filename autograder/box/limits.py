"""What a process gives up before it runs student code. Linux calls go through ctypes; elsewhere they are skipped."""

import contextlib
import ctypes
import os
import resource
import signal
import sys
from typing import Any

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 1, 4, 22, 36, 38
PR_SET_KEEPCAPS = 8
SECCOMP_MODE_FILTER = 2
CAPABILITY_VERSION, CAP_DAC_READ_SEARCH = 0x20080522, 1 << 2
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
COPY_GOES_FIRST = 950  # before the box that it is a copy of
MIB = 1 << 20

LINUX = sys.platform == "linux"
_libc = ctypes.CDLL(None, use_errno=True) if LINUX else None


class _FilterProgram(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def prctl(option: int, value: int, pointer: Any = 0) -> None:
    """Call prctl(2); raises OSError when the kernel refuses."""
    if _libc is not None and _libc.prctl(option, ctypes.c_ulong(value), pointer, 0, 0):
        number = ctypes.get_errno()
        raise OSError(number, f"prctl({option}): {os.strerror(number)}")


def keep_freed_memory() -> None:
    """Let glibc keep what is freed, up to 32 MiB, for the next message: fresh pages cost more than what is in them."""
    if _libc is not None and hasattr(_libc, "mallopt"):
        _libc.mallopt(M_MMAP_THRESHOLD, 16 * MIB)
        _libc.mallopt(M_TRIM_THRESHOLD, 32 * MIB)


def run_on(processors: list[int]) -> None:
    """Let this thread, and what it starts from now on, run on these processors only; where that fails, as before."""
    if processors and LINUX:
        with contextlib.suppress(OSError):
            os.sched_setaffinity(0, processors)


def default_signals() -> None:
    """Give every signal its default action: only then does the kernel shield PID 1 from its own namespace."""
    signal.pthread_sigmask(signal.SIG_SETMASK, ())  # whatever the judge's process holds back
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        with contextlib.suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_DFL)


def python_signals() -> None:
    """Set what Python code expects: a write to a closed pipe or past a limit is an OSError, not an end."""
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    if hasattr(signal, "SIGXFSZ"):
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def first_to_go(score: int = 900) -> None:
    """Ask the kernel to end us before others, the judge above all, when the machine runs out of memory."""
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
        file.write(str(score))


def undumpable() -> None:
    """Refuse ptrace and /proc/PID/mem to processes of the same user."""
    prctl(PR_SET_DUMPABLE, 0)


def become(user: int, keep_search: bool = False) -> None:
    """Become an unprivileged user of its own; every capability goes with it.

    `keep_search` keeps the right to read whatever Landlock allows, for an interpreter below a closed home.
    """
    if keep_search:
        prctl(PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    if _libc is not None:
        kept = CAP_DAC_READ_SEARCH if keep_search else 0
        header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0)
        sets = (ctypes.c_uint32 * 6)(kept, kept, 0, 0, 0, 0)  # effective, permitted, inheritable; low words, then high
        _libc.capset(header, sets)
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # changing the user has cleared it


def limit_box(memory_bytes: int, processes: int, cpu_seconds: int) -> None:
    """Set the limits of a box: CPU seconds, processes, memory, file size, open files, core dumps."""
    for name, value, spare in (
        ("CPU", cpu_seconds, 5),  # SIGXCPU first, which says why; SIGKILL five seconds later
        ("NPROC", processes, 0),
        ("DATA", memory_bytes + _data_bytes(), 0),
        ("FSIZE", 64 * MIB, 0),
        ("NOFILE", 128, 0),  # a socket's buffers are memory of the kernel's, some 400 KiB each
        ("CORE", 1, 0),  # of 1 byte, none is written; 0 would still start a program that core_pattern names
        ("MSGQUEUE", 0, 0),
    ):
        number = getattr(resource, f"RLIMIT_{name}", None)
        if number is not None:
            hard = resource.getrlimit(number)[1]
            most = value + spare if hard == resource.RLIM_INFINITY else min(value + spare, hard)
            resource.setrlimit(number, (min(value, most), most))


def _data_bytes() -> int:
    """What this process holds already; the limit is for what the student's code adds."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmData"))
    except (OSError, StopIteration):
        return 1024 * MIB


def forbid_new_rights() -> None:
    """Give up ever gaining rights again, by a setuid program say; seccomp and Landlock ask for this first."""
    prctl(PR_SET_NO_NEW_PRIVS, 1)


def install_filter(program: bytes) -> None:
    """Install a seccomp filter (struct sock_filter[], as libseccomp exports it); it also binds every child."""
    if program:
        buffer = ctypes.create_string_buffer(program, len(program))
        argument = _FilterProgram(len(program) // 8, ctypes.cast(buffer, ctypes.c_void_p))
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(argument))
