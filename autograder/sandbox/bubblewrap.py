"""The command line that puts the keeper behind bubblewrap's walls.

An ordinary user gets a user namespace and becomes nobody in it. Root gets none: in one of its own it would still read
files that only root may read. There the keeper keeps two capabilities, becomes a user of its own and loses them.
"""

import contextlib
import importlib.util
import itertools
import os
import shutil
import sys
from pathlib import Path

from autograder.errors import IsolationMissing, UsageError
from autograder.system import cache

Folders = tuple[Path, ...]

MIB = 1 << 20
NOBODY = 65534
FIRST_USER = 0x7000_0000  # users that no machine hands out: each keeper of a grading root is one of its own
SYSTEM = (
    "/usr",
    "/lib",
    "/lib32",
    "/lib64",
    "/bin",
    "/sbin",
    "/etc/ld.so.cache",
    "/etc/alternatives",
    "/etc/localtime",
)
PACKAGE = Path(__file__).resolve().parents[1]
BOX_FILES = ("__init__.py", "box")  # all of this package that a box may read
MOUNT = "/box/autograder"
SCRATCH = ("/tmp", "/dev/shm")
ENVIRONMENT = {
    "HOME": "/tmp",
    "USER": "student",
    "LOGNAME": "student",
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "TMPDIR": "/tmp",
    "MPLBACKEND": "Agg",
    "MPLCONFIGDIR": "/tmp",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",  # a set of strings has one order in every keeper, so that a report is the same each time
}


def bubblewrap() -> str:
    """Return the path of bwrap; raises IsolationMissing with what to do."""
    path = shutil.which("bwrap")
    if path is None:
        raise IsolationMissing(
            "bubblewrap (the command bwrap) is not installed, so there is no sandbox: install it "
            "(Debian and Ubuntu: apt-get install bubblewrap), or give --isolation process and read what that gives up"
        )
    return path


def keeper_user() -> int:
    """Return the user that a keeper of root becomes; 0 for an ordinary user, who has a namespace instead."""
    return FIRST_USER + os.getpid() if os.geteuid() == 0 else 0


def command(hidden: Folders, info: int, scratch_mib: int = 256) -> list[str]:
    """Return bwrap and its options, up to and without the command to run in the box.

    The `hidden` folders are not seen there even where they lie inside one that is mounted.
    """
    size = str(scratch_mib * MIB)
    options = [bubblewrap(), "--as-pid-1", "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv"]
    options += ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
    if os.geteuid() == 0:
        options += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    else:
        options += ["--unshare-user", "--disable-userns", "--uid", str(NOBODY), "--gid", str(NOBODY)]
    options += ["--hostname", "box", "--info-fd", str(info)]
    for name, value in ENVIRONMENT.items():
        options += ["--setenv", name, value]
    options += ["--proc", "/proc", "--dev", "/dev"]
    options += ["--ro-bind", "/dev/null", "/dev/zero"]  # a shared mapping of it is memory that nobody counts
    for folder in SCRATCH:
        options += ["--perms", "1777", "--size", size, "--tmpfs", folder]
    options += _mounts(hidden)  # after /tmp, since the environment may lie in it
    # What bwrap has made of memory belongs to an ordinary user's box: one box would leave files there for the next.
    for folder in ("/", "/dev", *covers(options)):
        options += ["--remount-ro", folder]
    return [*options, "--chdir", "/tmp"]


def covers(options: list[str]) -> list[str]:
    """Return the folders that these options cover with an empty one, but for the scratch folders."""
    pairs = itertools.pairwise(options)
    return [folder for option, folder in pairs if option == "--tmpfs" and folder not in SCRATCH]


def _mounts(hidden: Folders) -> list[str]:
    """Mount the system and the Python environment read-only, cover what is hidden, add the pieces for the box."""
    options: list[str] = []
    made: set[Path] = set()
    shown: dict[Path, bool] = {}  # what is mounted so far: to be seen, or empty
    wanted = _wanted(hidden)
    for path in sorted(wanted, key=lambda path: (len(path.parts), path)):  # what lies inside is mounted on top
        around = next((shown[folder] for folder in path.parents if folder in shown), False)
        if wanted[path] == around:
            continue
        shown[path] = wanted[path]
        if wanted[path]:
            options += [*_parents(path, made), "--ro-bind", str(path), str(path)]
        else:
            options += ["--perms", "0755", "--tmpfs", str(path)]
    for path in (Path(name) for name in SYSTEM):
        if path.is_symlink() and path.parent == Path("/"):
            options += ["--symlink", os.readlink(path), str(path)]
    for name in BOX_FILES:
        options += [*_parents(Path(MOUNT) / name, made), "--ro-bind", str(PACKAGE / name), f"{MOUNT}/{name}"]
    return options


def _wanted(hidden: Folders) -> dict[Path, bool]:
    """Return the folders to be seen (True) and to be covered (False); raises UsageError where one is both."""
    system = (Path(name) for name in SYSTEM)
    seen = {path for path in system if path.exists() and not (path.is_symlink() and path.parent == Path("/"))}
    seen.update(python_folders())
    wanted = dict.fromkeys(seen, True)
    for path in seen:
        real = path.resolve()  # a folder is mounted under its name here, and may be a link to another place
        for folder in hidden:
            if folder == real:
                raise UsageError(
                    f"{path} is both a part of the Python environment and a folder to hide from students' code; "
                    "install the environment into a folder of its own, .venv in the course folder for example"
                )
            if folder.is_relative_to(real):
                wanted[path / folder.relative_to(real)] = False
    return wanted


def _parents(path: Path, made: set[Path]) -> list[str]:
    """Make the folders above a mount point readable: an interpreter below a closed home must still be reached."""
    options: list[str] = []
    for folder in reversed(path.parents[:-1]):
        if folder not in made:
            made.add(folder)
            options += ["--perms", "0755", "--dir", str(folder)]
    return options


def python_folders() -> list[Path]:
    """Return the folders that this Python and its packages live in; some may lie in others."""
    folders = [Path(os.path.abspath(folder)) for folder in (sys.base_prefix, sys.prefix)]
    for name in ("torch", "numpy", "sklearn", "scipy", "matplotlib", "IPython"):
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.origin is not None:
            folders.append(Path(os.path.abspath(spec.origin)).parent.parent)
    return list(dict.fromkeys(folders))


def covered(course: Path, more: tuple[Path, ...] = ()) -> Folders:
    """Return what must not be seen: the course with its notebook, this package with its checks, and the cache."""
    hidden = [course, PACKAGE, *more]
    with contextlib.suppress(OSError):
        hidden.append(cache.folder())  # makes it: what is missing could not be covered, and the judge fills it later
    return tuple(folder.resolve() for folder in hidden)


def shown(hidden: Folders) -> list[Path]:
    """Return the files and folders that together show all of the system and of Python, and nothing that is hidden.

    For walls that can only allow (Landlock): a folder with something hidden in it is given by its other entries.
    """
    found: list[Path] = []
    python = {path.resolve() for path in python_folders()}
    waiting = [path for path in (*map(Path, SYSTEM), *python_folders()) if path.exists()]
    while waiting:
        path = waiting.pop()
        real = path.resolve()
        around = next((folder for folder in (real, *real.parents) if folder in python or folder in hidden), None)
        if around in hidden and around not in python:
            continue
        if any(folder.is_relative_to(real) for folder in hidden):
            waiting += path.iterdir()
        else:
            found.append(path)
    return found
