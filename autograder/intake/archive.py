"""A zip archive of hand-ins, unpacked without trusting it.

A course system wrote the archive, students what is in it. So a notebook of any size or content is its student's affair
alone: it is cut above what a submission may have, and its report says so. A name that leads elsewhere, a link, or two
entries of one name are in no archive that a course system writes: they end the whole, before anything is written.
"""

import lzma
import os
import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from autograder.errors import DiskFull, UsageError
from autograder.intake.file import MAX_BYTES
from autograder.intake.lms_downloads import MACS_OWN
from autograder.system.files import MAKE_ROOM, is_full
from autograder.system.temporary import make_held_folder, remove_abandoned
from autograder.text import quoted

SUFFIX = ".zip"
PREFIX = "autograder-handed-in-"  # of the temporary folder
MOST_ENTRIES = 100_000  # a class of ten thousand with ten files each
MOST_BYTES = 16 << 30  # of all notebooks together
LONGEST_PART = 255  # bytes of a name, on any file system
LONGEST_PATH = 1024
_ENCRYPTED = 0x1
_UTF8 = 0x800
_BROKEN = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError, ValueError)


@contextmanager
def handed_in(place: Path) -> Iterator[Path]:
    """Give the folder of a class: the place itself, or what a zip archive holds, for as long as it is needed."""
    if place.suffix.lower() != SUFFIX or not place.is_file():
        yield place
        return
    remove_abandoned(PREFIX)
    folder, held = make_held_folder(PREFIX)
    try:
        unpack(place, Path(folder))
        yield Path(folder)
    finally:
        shutil.rmtree(folder)
        os.close(held)


def unpack(archive: Path, folder: Path) -> None:
    """Write an archive's notebooks into a folder that exists; of other files the name alone: it tells who handed in.

    Raises UsageError, with nothing written, for an archive that no course system writes; for one that is damaged, too.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            entries = _checked(opened, archive.name)
            needed = sum(_size(entry) for entry in entries.values())
            if needed > min(MOST_BYTES, shutil.disk_usage(folder).free):
                raise UsageError(f"{archive.name} would take {needed / 2**30:.1f} GiB unpacked; nothing was unpacked")
            for parts, entry in entries.items():
                _write(opened, entry, folder.joinpath(*parts))
    except _BROKEN as error:
        reason = str(error) or type(error).__name__
        raise UsageError(f"{archive.name} cannot be unpacked: {quoted(reason, 160)}; download it again") from None
    except OSError as error:
        if is_full(error):
            raise DiskFull(f"{archive.name} was not unpacked: {MAKE_ROOM}") from error
        raise UsageError(f"{archive.name} was not unpacked: {os.strerror(error.errno or 0)}") from None


def _checked(opened: zipfile.ZipFile, archive: str) -> dict[tuple[str, ...], zipfile.ZipInfo]:
    """Return the files of an archive by where they go."""
    entries = opened.infolist()
    if len(entries) > MOST_ENTRIES:
        raise UsageError(f"{archive} holds {len(entries)} files, more than {MOST_ENTRIES}; nothing was unpacked")
    files: dict[tuple[str, ...], zipfile.ZipInfo] = {}
    folders: set[tuple[str, ...]] = set()
    for entry in entries:
        name = _name(entry)
        parts = tuple(name.removesuffix("/").split("/"))
        fault = _fault(entry, name, parts)
        if not fault and parts in files:
            fault = "stands there twice"
        if fault:
            raise UsageError(f"{archive}: the entry {quoted(name)} {fault}; nothing was unpacked")
        if not entry.is_dir() and not any(part.startswith(".") or part == MACS_OWN for part in parts):
            files[parts] = entry
            folders.update(parts[:end] for end in range(1, len(parts)))
    both = folders & files.keys()
    if both:
        raise UsageError(f"{archive}: {quoted('/'.join(min(both)))} is a file and a folder; nothing was unpacked")
    return files


def _fault(entry: zipfile.ZipInfo, name: str, parts: tuple[str, ...]) -> str:
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if "\0" in entry.orig_filename or any(part in ("", ".", "..") for part in parts):
        return "leads out of the archive"
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is a link or a device"
    if entry.flag_bits & _ENCRYPTED:
        return "is encrypted"
    if any(_bytes(part) > LONGEST_PART for part in parts) or _bytes(name) > LONGEST_PATH:
        return "has too long a name"
    return ""


def _name(entry: zipfile.ZipInfo) -> str:
    """Return an entry's name: UTF-8 where it can be, also where the archive does not say so, as Canvas's do not."""
    if entry.flag_bits & _UTF8:
        return entry.filename
    try:
        return entry.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return entry.filename


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogateescape"))


def _size(entry: zipfile.ZipInfo) -> int:
    """Return how much of a file is written: of a notebook as much as shows that it is too large."""
    return min(entry.file_size, MAX_BYTES + 1) if entry.filename.lower().endswith(".ipynb") else 0


def _write(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    left = _size(entry)
    with open(path, "xb") as file, opened.open(entry) as source:
        while left > 0 and (block := source.read(min(left, 1 << 20))):
            file.write(block)
            left -= len(block)
