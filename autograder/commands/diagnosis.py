"""`autograder doctor`: tests every protection from inside a box, and says how to get those that are missing.

Exit codes: 0 if all protections of namespaces hold, which `score` and `grade` need by default; 5 if not.
"""

import importlib.metadata
import os
import platform
import shutil
import subprocess
import tempfile
from dataclasses import fields
from pathlib import Path

from rich import box
from rich.table import Table

from autograder.box import landlock
from autograder.errors import AutograderError, IsolationMissing
from autograder.render.terminal import console
from autograder.sandbox.isolation_selftest import Tried, try_walls
from autograder.sandbox.seccomp import filter_program
from autograder.settings import load_settings
from autograder.system import cache

PACKAGES = ("autograder", "torch", "numpy", "nbgrader", "pytest", "hypothesis", "pyseccomp")
OLDEST_BUBBLEWRAP = (0, 8)  # --size came with 0.7, --disable-userns with 0.8
UNITS = {"seconds": "s", "mib": "MiB", "kib": "KiB"}


def doctor_command(course: Path | None) -> int:
    """Print what this machine offers; return 0 if the namespaces hold, else 5. A machine need not have a course."""
    if course is None:
        with tempfile.TemporaryDirectory() as nowhere:
            return _examine(Path(nowhere), "the default limits")
    return _examine(course, "limits of a submission")


def _examine(course: Path, limits: str) -> int:
    settings = load_settings(course)
    out = console()
    out.print(_table("versions", [(name, value) for name, value in _versions().items()]))
    out.print(_table(limits, [_limit(f.name, getattr(settings, f.name)) for f in fields(settings)]))
    safe = _print_walls("namespaces", course)
    if not safe:
        _print_walls("process", course)
        out.print("How to get what is missing:")
        for line in advice():
            out.print(f"  - {line}", soft_wrap=True)
    verdict = "all protections hold" if safe else "some are missing; score and grade need them, or --isolation process"
    out.print(f"isolation by namespaces: {verdict}", soft_wrap=True)
    return 0 if safe else IsolationMissing.exit_code


def advice() -> list[str]:
    """Return what can be done on this machine, the likely first."""
    if platform.system() != "Linux":
        return ["only Linux has namespaces: mark on a Linux machine or in a container, or give --isolation process"]
    found: list[str] = []
    if shutil.which("bwrap") is None:
        found.append("bubblewrap is not installed; Debian and Ubuntu: apt-get install bubblewrap")
    elif (version := _bubblewrap_version()) < OLDEST_BUBBLEWRAP:
        found.append(f"bubblewrap is {'.'.join(map(str, version))}, expected 0.8 or later: install a newer one")
    if not filter_program():
        found.append("libseccomp is not installed; Debian and Ubuntu: apt-get install libseccomp2")
    if _kernel("kernel/apparmor_restrict_unprivileged_userns") == "1" and os.geteuid() != 0:
        found.append(
            "Ubuntu's AppArmor stops ordinary users from creating user namespaces: give bwrap a profile with the rule "
            "`userns,` (apt-get install apparmor-profiles, then copy extra-profiles/bwrap-userns-restrict to "
            "/etc/apparmor.d), or: sysctl kernel.apparmor_restrict_unprivileged_userns=0"
        )
    if _kernel("kernel/unprivileged_userns_clone") == "0" or _kernel("user/max_user_namespaces") == "0":
        found.append(
            "user namespaces are switched off: sysctl kernel.unprivileged_userns_clone=1 user.max_user_namespaces=15000"
        )
    if shutil.which("bwrap") and (Path("/.dockerenv").exists() or Path("/run/.containerenv").exists()):
        found.append(
            "this is a container: start it with --security-opt seccomp=unconfined --security-opt apparmor=unconfined "
            "--security-opt systempaths=unconfined, and as root with --cap-add SYS_ADMIN too"
        )
    found.append("to mark without namespaces: --isolation process; the report says what student code could read")
    return found


def _print_walls(isolation: str, course: Path) -> bool:
    out = console()
    try:
        tried = try_walls(isolation, course)
    except AutograderError as error:
        out.print(f"protections of --isolation {isolation}: none could be tested: {error}\n", soft_wrap=True)
        return False
    out.print(_walls_table(f"protections of --isolation {isolation}", tried))
    return all(wall.stands for wall in tried)


def _walls_table(title: str, tried: list[Tried]) -> Table:
    table = _table(title, [])
    table.add_column("tried")
    for wall in tried:
        style = "green" if wall.stands else "bold red"
        table.add_row(wall.name, "holds" if wall.stands else "DOWN", wall.tried, style=style)
    return table


def _table(title: str, rows: list[tuple[str, str]]) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, show_header=False)
    table.add_column("name", no_wrap=True)
    table.add_column("value")
    for row in rows:
        table.add_row(*row)
    return table


def _versions() -> dict[str, str]:
    """Return what a mark, or the sandbox, may depend on."""
    abi = landlock.version()
    found = {
        "system": f"{platform.system()} {platform.release()} on {platform.machine()}, {os.cpu_count()} processors",
        "user": "root" if os.geteuid() == 0 else "an ordinary user",
        "bubblewrap": ".".join(map(str, _bubblewrap_version())) or "missing",
        "seccomp filter": f"{len(filter_program()) // 8} instructions" if filter_program() else "libseccomp is missing",
        "Landlock": f"ABI {abi} (used by --isolation process)" if abi else "not in this kernel",
        "memory limit": "a data limit for each process, and the whole box is measured from outside",
        "cache": cache.described(),
        "python": platform.python_version(),
    }
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "missing"
    return found


def _bubblewrap_version() -> tuple[int, ...]:
    """Return the version of bwrap; empty where there is none that runs."""
    try:
        done = subprocess.run(["bwrap", "--version"], capture_output=True, text=True, timeout=10, check=True)
        return tuple(int(part) for part in done.stdout.split()[-1].split("."))
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return ()


def _kernel(name: str) -> str:
    """Return a setting of the kernel; empty where it has none of that name."""
    try:
        return Path("/proc/sys", name).read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _limit(name: str, value: object) -> tuple[str, str]:
    words = name.split("_")
    unit = UNITS.get(words[-1], "")
    return " ".join(words[:-1] if unit else words), f"{value} {unit}".strip()
