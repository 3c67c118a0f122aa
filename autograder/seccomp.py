"""The system calls that a box may not make, as a filter program that libseccomp compiles.

A deny list on top of namespaces and dropped rights: it closes what those leave open, and lets everything through that
Python and torch need on any machine. Refused calls fail with EPERM, so that a student reads an error, not a crash.
"""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from functools import cache
from typing import Any

FORBIDDEN = (
    *("keyctl", "add_key", "request_key"),  # a keyring outlives the box
    *("bpf", "perf_event_open", "userfaultfd", "lookup_dcookie", "kcmp"),
    *("io_uring_setup", "io_uring_enter", "io_uring_register"),  # would pass by this very filter
    *("ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "pidfd_getfd", "pidfd_send_signal"),
    *("mount", "umount2", "pivot_root", "chroot", "move_mount", "open_tree", "fsopen", "fsmount", "fsconfig", "fspick"),
    *("mount_setattr", "unshare", "setns", "swapon", "swapoff", "acct", "quotactl", "quotactl_fd"),
    *("shmget", "shmat", "shmctl", "shmdt", "semget", "semop", "semctl", "semtimedop", "msgget", "msgsnd", "msgrcv", "msgctl"),
    *("memfd_create", "memfd_secret"),  # memory that no limit of a process counts
    *("mq_open", "fanotify_init", "name_to_handle_at", "open_by_handle_at", "mknod", "mknodat"),
    *("init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "reboot", "syslog"),
    *("settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "sethostname", "setdomainname"),
    *("move_pages", "migrate_pages", "mbind", "set_mempolicy", "personality", "vhangup", "iopl", "ioperm"),
)
# Calls that reach another process of the same user, the keeper say, unless they name the caller itself by 0.
ONLY_ONESELF = ("prlimit64", "sched_setaffinity", "sched_setscheduler", "sched_setparam", "sched_setattr")
ONLY_ONESELF_SECOND = ("setpriority", "ioprio_set")
NAMESPACE_FLAGS = 0x7E020000  # CLONE_NEWCGROUP, UTS, IPC, USER, PID, NET and NEWNS
AF_UNIX, AF_INET, AF_INET6 = 1, 2, 10


@cache
def filter_program() -> bytes:
    """Return the filter as struct sock_filter[]; empty where libseccomp is not to be had."""
    library = _library()
    if library is None:
        return b""
    seccomp = library.SyscallFilter(library.ALLOW)
    refuse = library.ERRNO(errno.EPERM)
    for name in FORBIDDEN:
        _add(seccomp, refuse, name)
    for name in ONLY_ONESELF:
        _add(seccomp, refuse, name, library.Arg(0, library.NE, 0))
    for name in ONLY_ONESELF_SECOND:
        _add(seccomp, refuse, name, library.Arg(1, library.NE, 0))
    for flag in _bits(NAMESPACE_FLAGS):
        _add(seccomp, refuse, "clone", library.Arg(0, library.MASKED_EQ, flag, flag))
    _add(seccomp, library.ERRNO(errno.ENOSYS), "clone3")  # its flags lie in memory; glibc falls back to clone
    _only_plain_sockets(library, seccomp)
    with tempfile.TemporaryFile() as file:
        seccomp.export_bpf(file)
        file.seek(0)
        return file.read()


def _only_plain_sockets(library: Any, seccomp: Any) -> None:
    """Allow the address families that honest code may try (and finds no network behind); refuse AF_VSOCK and the rest."""
    refuse = library.ERRNO(errno.EAFNOSUPPORT)
    for low, high in ((AF_UNIX, AF_INET), (AF_INET, AF_INET6)):
        _add(seccomp, refuse, "socket", library.Arg(0, library.GT, low), library.Arg(0, library.LT, high))
    _add(seccomp, refuse, "socket", library.Arg(0, library.GT, AF_INET6))


def _add(seccomp: Any, action: Any, name: str, *conditions: Any) -> None:
    with contextlib.suppress(OSError, ValueError, RuntimeError):  # a call that this machine's libseccomp has no name for
        seccomp.add_rule(action, name, *conditions)


def _bits(mask: int) -> list[int]:
    return [1 << bit for bit in range(mask.bit_length()) if mask >> bit & 1]


def _library() -> Any:
    if os.uname().sysname != "Linux":
        return None
    try:
        import pyseccomp
    except (ImportError, RuntimeError, OSError):
        return None
    return pyseccomp
