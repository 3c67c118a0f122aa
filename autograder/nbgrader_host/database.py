"""What a database that cannot be opened or written says, as an error of ours."""

import sqlalchemy as sa

from autograder.errors import AutograderError, DiskFull, UsageError
from autograder.system.files import MAKE_ROOM, is_full

_READ_ONLY_STATES = ("25006", "42501")  # PostgreSQL: a read-only transaction, and no right to write


def known_fault(url: str, error: Exception) -> AutograderError | None:
    """Return the error for a full disk or a database that can only be read; None for any other failure."""
    if _is_full(error):
        return DiskFull(f"the gradebook {shown(url)} was not written: {MAKE_ROOM}")
    if not _is_read_only(error):
        return None
    what = "make it writable, for SQLite the file and its folder, or name another one with --gradebook"
    return UsageError(f"the gradebook {shown(url)} cannot be written: {reason(error)}; {what}")


def shown(url: str) -> str:
    """Return a database's address without its password."""
    return sa.engine.make_url(url).render_as_string(hide_password=True) if "://" in url else url


def reason(error: Exception) -> str:
    """Return the first line of what the database said."""
    return str(getattr(error, "orig", None) or error).splitlines()[0]


def _is_full(error: Exception) -> bool:
    """Say whether a disk is full, ours or the database's; SQLite has a code of its own for it."""
    return is_full(error) or getattr(getattr(error, "orig", None), "sqlite_errorname", "") == "SQLITE_FULL"


def _is_read_only(error: Exception) -> bool:
    """Say whether a database lets us read alone: SQLite's file or folder, or the user that the server knows us as."""
    origin = getattr(error, "orig", None)
    name, state = getattr(origin, "sqlite_errorname", ""), getattr(origin, "pgcode", "")
    return name.startswith(("SQLITE_READONLY", "SQLITE_PERM")) or state in _READ_ONLY_STATES
