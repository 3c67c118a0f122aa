"""The system calls that a box may not make, as a filter program that libseccomp compiles.

A deny list on top of namespaces and dropped rights: it closes what those leave open, and lets everything through that
Python and torch need on any machine. Refused calls fail with EPERM, so that a student reads an error, not a crash.
"""

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
    *("shmget", "shmat", "shmctl", "shmdt", "semget", "semop", "semctl", "semtimedop"),
    *("msgget", "msgsnd", "msgrcv", "msgctl"),
    *("memfd_create", "memfd_secret"),  # memory that no limit of a process counts
    *("mq_open", "fanotify_init", "name_to_handle_at", "open_by_handle_at", "mknod", "mknodat"),
    *("init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "reboot", "syslog"),
    *("settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "sethostname", "setdomainname"),
    *("move_pages", "migrate_pages", "mbind", "set_mempolicy", "personality", "vhangup", "iopl", "ioperm"),
)
# Calls that reach another process of the same user, the keeper say, unless they name the caller itself by 0.
ONLY_ONESELF = ("prlimit64", "sched_setaffinity", "sched_setscheduler", "sched_setparam", "sched_setattr")
# Of these the first argument says what the second one names: a process, or all processes of a group or a user.
ONLY_ONESELF_SECOND = {"setpriority": 0, "ioprio_set": 1}
SIGNALS = ("kill", "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo")
NAMESPACE_FLAGS = 0x7E020000  # CLONE_NEWCGROUP, UTS, IPC, USER, PID, NET and NEWNS
# Shared memory without a file: its pages stay when the mapping goes from all but one of them, and no process, limit or
# reading of /proc counts them. What is in a file lies in a sized folder.
SHARED_WITHOUT_FILE = ((0x2F, 0x21), (0x2F, 0x23))  # mask and value: MAP_ANONYMOUS with MAP_SHARED or _VALIDATE
HUGE_PAGES = 0x40000  # MAP_HUGETLB: from a pool of the machine's
NEGATIVE = 0x8000_0000  # as an int: every process of a group, or of the user
AF_UNIX = 1


@cache
def filter_program(namespaces: bool = True, spared: tuple[int, ...] = ()) -> bytes:
    """Return the filter as struct sock_filter[]; empty where libseccomp is not to be had.

    Without namespaces it also keeps the box in one process group, which can be killed as a whole, out of every socket
    but pairs, and from sending signals to groups and to the `spared` processes.
    """
    library = _library()
    if library is None:
        return b""
    seccomp = library.SyscallFilter(library.ALLOW)
    refuse = library.ERRNO(errno.EPERM)
    for name in FORBIDDEN:
        _add(seccomp, refuse, name)
    for name in ONLY_ONESELF:
        _add(seccomp, refuse, name, library.Arg(0, library.NE, 0))
    for name, process in ONLY_ONESELF_SECOND.items():
        _add(seccomp, refuse, name, library.Arg(0, library.NE, process))
        _add(seccomp, refuse, name, library.Arg(1, library.NE, 0))
    for mask, value in (*SHARED_WITHOUT_FILE, (HUGE_PAGES, HUGE_PAGES)):
        _add(seccomp, library.ERRNO(errno.ENOMEM), "mmap", library.Arg(3, library.MASKED_EQ, mask, value))
    for flag in _bits(NAMESPACE_FLAGS):
        _add(seccomp, refuse, "clone", library.Arg(0, library.MASKED_EQ, flag, flag))
    _add(seccomp, library.ERRNO(errno.ENOSYS), "clone3")  # its flags lie in memory; glibc falls back to clone
    _no_network(library, seccomp)
    if not namespaces:
        _held_together(library, seccomp, spared)
    with tempfile.TemporaryFile() as file:
        seccomp.export_bpf(file)
        file.seek(0)
        return file.read()


def _no_network(library: Any, seccomp: Any) -> None:
    """Leave local sockets alone: the network namespace is the first wall, and the host's buffers need this one."""
    refuse = library.ERRNO(errno.EACCES)
    for name in ("socket", "socketpair"):
        _add(seccomp, refuse, name, library.Arg(0, library.NE, AF_UNIX))


def _held_together(library: Any, seccomp: Any, spared: tuple[int, ...]) -> None:
    refuse = library.ERRNO(errno.EPERM)
    for name in ("setsid", "setpgid"):
        _add(seccomp, refuse, name)
    _add(seccomp, library.ERRNO(errno.EACCES), "socket")  # a pair is made by a call of its own
    for name in SIGNALS:
        _add(seccomp, refuse, name, library.Arg(0, library.MASKED_EQ, NEGATIVE, NEGATIVE))
        for pid in spared:
            _add(seccomp, refuse, name, library.Arg(0, library.MASKED_EQ, 0xFFFF_FFFF, pid))


def _add(seccomp: Any, action: Any, name: str, *conditions: Any) -> None:
    with contextlib.suppress(OSError, ValueError, RuntimeError):  # this machine's libseccomp has no name for the call
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
