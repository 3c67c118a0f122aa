"""Keeps tensors that take long to compute between runs of the command, in a folder that only this user can open.

A file holds a hash of its name and content, then the shapes, then the numbers. It is never unpickled, and the hash is
checked first: what is broken, incomplete or misplaced is computed again. Where nothing can be kept, nothing is, and
only `autograder doctor` says so.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import math
import os
import platform
import stat
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

if TYPE_CHECKING:
    from torch import Tensor

VARIABLE = "AUTOGRADER_CACHE"  # names another folder, or is `off`
SUFFIX = ".tensors"  # of our files: nothing else in the folder is ever removed
LIMIT_BYTES = 128 << 20  # of all files together
START = 512  # where the numbers begin, after the hash and the shapes
DIGEST = hashlib.sha256().digest_size
# What of /proc/cpuinfo, and which environment variables, decide how a library computes.
PROCESSOR = ("vendor_id", "cpu family", "model", "stepping", "flags", "CPU ", "Features")
VARIABLES = ("ATEN_", "DNNL_", "GLIBC_", "KMP_", "MKL_", "OMP_", "ONEDNN_", "OPENBLAS_")


def folder() -> Path:
    """Return the folder, made if it is missing; raises OSError if there is none that is this user's alone."""
    named = os.environ.get(VARIABLE)
    if named == "off":
        raise OSError(f"switched off by {VARIABLE}")
    path = Path(os.path.abspath(named or platformdirs.user_cache_path("autograder")))
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = path.stat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise OSError(f"{path} must belong to this user and have mode 700")
    return path


def described() -> str:
    """Return where the cache is and how much it holds, or why there is none."""
    try:
        path = folder()
        used = sum(file.stat().st_size for file in path.glob(f"*{SUFFIX}"))
    except OSError as error:
        return f"none: {error}"
    return f"{path}, {used >> 20} of at most {LIMIT_BYTES >> 20} MiB"


def kept(key: Iterable[str | bytes], make: Callable[[], list[Tensor]]) -> list[Tensor]:
    """Return what `make` returns: float32 tensors, read if a run with this key, code and arithmetic has kept them."""
    try:
        path = folder() / f"{_hash([*key, _surroundings()]).hex()}{SUFFIX}"
    except OSError:
        return make()
    with contextlib.suppress(OSError, ValueError):
        return _read(path)
    made = make()
    with contextlib.suppress(OSError):
        _write(path, made)
        _remove_old(path.parent)
    return made


def _hash(parts: Iterable[str | bytes | memoryview]) -> bytes:
    hashes = (hashlib.sha256(part.encode() if isinstance(part, str) else part).digest() for part in parts)
    return hashlib.sha256(b"".join(hashes)).digest()


@functools.cache  # early: code that is replaced later is not what this process runs
def _surroundings() -> bytes:
    """Return a hash of what decides how numbers are rounded here, and of all our code: a list would grow stale."""
    import numpy as np
    import torch

    found = [platform.python_version(), platform.platform(), sys.byteorder, np.__version__, torch.__version__]
    found += [torch.__config__.show(), torch.backends.cpu.get_cpu_capability(), str(torch.get_num_threads())]
    found += sorted(f"{name}={value}" for name, value in os.environ.items() if name.startswith(VARIABLES))
    with contextlib.suppress(OSError), open("/proc/cpuinfo", encoding="utf-8", errors="replace") as lines:
        first = iter(lines.readline, "\n")  # of the processors, which end with an empty line
        found += [line for line in first if line.startswith(PROCESSOR)]
    return _hash([*found, *(path.read_bytes() for path in sorted(Path(__file__).parents[1].rglob("*.py")))])


def _read(path: Path) -> list[Tensor]:
    """Return the tensors of a file; raises OSError or ValueError unless it is whole, and ours."""
    import torch

    at_once = os.O_NONBLOCK  # even if it is a pipe that nobody writes to
    with open(path, "rb", buffering=0, opener=lambda name, flags: os.open(name, flags | at_once)) as file:
        found = os.fstat(file.fileno())
        data = bytearray(min(found.st_size, LIMIT_BYTES))
        file.readinto(data)
    if found.st_uid != os.geteuid() or data[:DIGEST] != _hash([path.name, memoryview(data)[DIGEST:]]):
        raise ValueError("broken, incomplete or misplaced")
    os.utime(path)  # what is used is not removed
    tensors, place = [], START
    for shape in json.loads(data[DIGEST:START]):
        flat = torch.frombuffer(data, dtype=torch.float32, count=math.prod(shape), offset=place)
        tensors.append(flat.reshape(shape).clone())  # in memory of its own, aligned as torch aligns what it computes
        place += flat.nbytes
    return tensors


def _write(path: Path, tensors: list[Tensor]) -> None:
    """Write a file that a reader sees whole or not at all; raises OSError."""
    shapes = json.dumps([list(tensor.shape) for tensor in tensors]).encode().ljust(START - DIGEST)
    content = b"".join((shapes, *(tensor.detach().contiguous().numpy().data.cast("B") for tensor in tensors)))
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, suffix=SUFFIX)
    try:
        with open(descriptor, "wb") as file:  # not synced: what a power cut leaves does not fit its hash
            file.writelines((_hash([path.name, content]), content))
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _remove_old(folder: Path) -> None:
    """Remove what was not used for longest, down to the limit, and what killed runs have left half-written."""
    total = 0
    for path in sorted(folder.glob(f"*{SUFFIX}"), key=lambda path: -path.stat().st_mtime):
        total += path.stat().st_size
        if total > LIMIT_BYTES:
            path.unlink(missing_ok=True)
