"""Landlock: the kernel's own walls for a process without namespaces (Linux 5.13 and later).

Numbers from linux/landlock.h. The rules allow reading the system and the Python environment and writing the scratch
folder; whatever is not allowed, the hidden checks among it, cannot be opened any more.
"""

import ctypes
import os

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # the same on every architecture
RULE_PATH_BENEATH = 1
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
FILE_RIGHTS = EXECUTE | WRITE_FILE | READ_FILE | 1 << 14
ALL_BY_ABI = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1}  # 5 adds ioctl on devices, which we leave alone
NETWORK_TCP = 3  # bind and connect, from ABI 4
SCOPES = 3  # abstract sockets and signals, from ABI 6


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("rights", ctypes.c_uint64), ("folder", ctypes.c_int32))


def version() -> int:
    """Return the kernel's Landlock ABI; 0 where there is none."""
    if os.uname().sysname != "Linux":
        return 0
    return max(0, int(ctypes.CDLL(None).syscall(CREATE_RULESET, None, 0, 1)))


def restrict(readable: list[str], writable: list[str], listable: list[str]) -> bool:
    """Hold this process and its children to these folders; False where the kernel cannot (no_new_privs must be set).

    Of folders that are only listable, names can be read: Python looks for its packages by them.
    """
    abi = version()
    if abi == 0:
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    everything = ALL_BY_ABI[min(abi, 3)]
    ruleset = _Ruleset(everything, NETWORK_TCP if abi >= 4 else 0, SCOPES if abi >= 6 else 0)
    size = 24 if abi >= 6 else 16 if abi >= 4 else 8
    handle = libc.syscall(CREATE_RULESET, ctypes.byref(ruleset), size, 0)
    if handle < 0:
        return False
    for path in readable:
        _allow(libc, handle, path, EXECUTE | READ_FILE | READ_DIR)
    for path in listable:
        _allow(libc, handle, path, READ_DIR)
    for path in writable:
        _allow(libc, handle, path, everything)
    done = int(libc.syscall(RESTRICT_SELF, handle, 0)) == 0
    os.close(handle)
    return done


def _allow(libc: ctypes.CDLL, handle: int, path: str, rights: int) -> None:
    try:
        folder = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    if not os.path.isdir(path):
        rights &= FILE_RIGHTS
    rule = _PathBeneath(rights, folder)
    libc.syscall(ADD_RULE, handle, RULE_PATH_BENEATH, ctypes.byref(rule), 0)
    os.close(folder)
