"""Read a file that people wrote; write one whole or not at all."""

import contextlib
import errno
import os
import secrets
import stat
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from autograder.errors import AutograderError, DiskFull, GraderFault, UsageError

SPREADSHEET = "a spreadsheet saves it so as 'CSV UTF-8'"
TEMPORARY = ".tmp"  # the end of a half-written file's name, so that a later run can clear it away
_FULL = {errno.ENOSPC, errno.EDQUOT}
MAKE_ROOM = "the disk is full; make room and run the same command again"
_WRONG_PLACE = {
    errno.ENOENT,
    errno.ENOTDIR,
    errno.EEXIST,
    errno.ELOOP,
    errno.EINVAL,
    errno.EISDIR,
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ENAMETOOLONG,
}


def read_text(path: Path, advice: str = "save it in that encoding", missing: str | None = None) -> str:
    """Return the text of a UTF-8 file that a person or a spreadsheet wrote: no byte-order mark, line ends as they are.

    `missing` is returned if there is no such file. Raises UsageError, with `advice` if the encoding is another.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        if isinstance(error, FileNotFoundError) and missing is not None:
            return missing
        raise UsageError(f"{path} cannot be read: {os.strerror(error.errno or 0)}") from None
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:  # as in a spreadsheet's own format
        raise UsageError(f"{path} is not in UTF-8; {advice}")
    return text


def write_atomically(path: Path, data: bytes | str) -> None:
    """Write a file so that a reader, or a restart after a power cut, sees the old or the new content.

    Text is UTF-8. A link is followed and its target replaced; a device or a pipe is written to as it is.
    Raises UsageError where nothing can be written by this name, DiskFull, GraderFault where the disk fails.
    """
    content = data.encode("utf-8") if isinstance(data, str) else data
    with writing(path):
        if _is_special(path):
            path.write_bytes(content)
        else:
            _replace(Path(os.path.realpath(path)), content)


def append(path: Path, text: str) -> None:
    """Add text to the end of a file; raises as `write_atomically` does."""
    with writing(path), open(path, "a", encoding="utf-8") as file:
        file.write(text)


def make_folder(path: Path) -> None:
    """Make a folder and those above it where they are missing; raises as `write_atomically` does."""
    with writing(path):
        try:
            path.mkdir(parents=True, exist_ok=True)
        except FileExistsError:
            raise UsageError(f"{path} is a file; name a folder, or a new place for one") from None


def refuse_to_replace(path: Path, sources: Iterable[Path], what: str) -> None:
    """Raise UsageError where writing to `path` would replace one of the files that are read; `what` says what it is."""
    with writing(path):
        if path.exists() and any(path.samefile(source) for source in sources if source.exists()):
            raise UsageError(f"{path} is {what}; write to another file")


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Say in one sentence why nothing can be written by this name: what the system says of it becomes our error.

    Raises UsageError where nothing can be written by this name, DiskFull, GraderFault where the disk fails.
    """
    try:
        yield
    except OSError as error:
        raise _explain(path, error) from error


def is_full(error: BaseException) -> bool:
    """Say whether something failed because a disk, or somebody's share of it, is full."""
    return isinstance(error, OSError) and error.errno in _FULL


def keep_for_staff(text: str) -> Path:
    """Write what only staff may read into a file of its own, readable by nobody else; return where it is."""
    descriptor, name = tempfile.mkstemp(prefix="autograder-fault-", suffix=".txt")
    with open(descriptor, "w", encoding="utf-8", errors="replace") as file:
        file.write(text)
    return Path(name)


def remove_leftovers(folder: Path) -> None:
    """Remove the half-written files that a killed run left in a folder."""
    for path in folder.glob(f".*{TEMPORARY}"):
        path.unlink(missing_ok=True)


def _is_special(path: Path) -> bool:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return False
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, "it is a folder", str(path))
    return not stat.S_ISREG(mode)


def _replace(path: Path, content: bytes) -> None:
    # A name of its own, not one made of `path`: that may already be as long as names can be.
    temporary = path.parent / f".{secrets.token_hex(8)}{TEMPORARY}"
    # Not mkstemp: its mode 0600 would stay, and the report could be read by nobody else, whatever the umask says.
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some network and FUSE file systems cannot sync a folder; the file itself is safe.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


def _explain(path: Path, error: OSError) -> AutograderError:
    if is_full(error):
        return DiskFull(f"{path} was not written: {MAKE_ROOM}")
    reason = os.strerror(error.errno) if error.errno else str(error)
    kind = UsageError if error.errno in _WRONG_PLACE else GraderFault
    return kind(f"{path} cannot be written: {reason}")
