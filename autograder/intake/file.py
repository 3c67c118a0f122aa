"""The bytes that were handed in: opened without following, waiting or trusting, and named for what they are."""

import codecs
import errno
import json
import os
import re
import stat
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from autograder.errors import Unreadable
from autograder.text import quoted

MAX_BYTES = 64 * 1024 * 1024  # saved figures make notebooks of 20 MiB; parsing stays within a few times this

BOMS = (  # the longer first: UTF-32's begins with UTF-16's
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
RICH_TEXT = re.compile(rb"\{\\rtf")
LOOKS = (
    (RICH_TEXT, "a rich-text document"),
    (re.compile(rb"\s*<(!doctype html|html|head|body|script)", re.IGNORECASE), "a web page, perhaps a log-in page"),
    (re.compile(rb"\s*<\?xml|\s*<svg", re.IGNORECASE), "an XML file"),
    (re.compile(rb"%PDF"), "a PDF"),
    (re.compile(rb"PK[\x03\x05]"), "a zip archive or an office document"),
    (re.compile(rb"\x1f\x8b|BZh|\xfd7zXZ|7z\xbc\xaf|Rar!"), "a compressed archive"),
    (re.compile(rb"\x89PNG|\xff\xd8\xff|GIF8"), "a picture"),
    (re.compile(rb"\x80[\x02-\x05]"), "a Python pickle"),
    (re.compile(rb"\x7fELF|MZ"), "a program"),
    (re.compile(rb"version https://git-lfs"), "a Git LFS pointer, not the file itself"),
    (re.compile(rb"\x00+$"), "nothing but zero bytes"),
    (re.compile(rb"\s*(#|import |from \S+ import|def |class |\"\"\")"), "a Python script"),
    (re.compile(rb"\s*\["), "a JSON list, not a notebook"),
)
# Neither follow a link nor wait at a pipe. Students check their file on any system (packages/student): Windows has none
# of the last three, and would change line ends without the first.
FLAGS = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_BINARY", "O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC"))
MERGE_MARKER = re.compile(rb"^<{7}[ \r\n]", re.MULTILINE)


@dataclass(frozen=True)
class Text:
    """A file's text in UTF-8, and how its positions are found in the bytes that were handed in."""

    utf8: bytes
    encoding: str
    bom: int  # bytes

    def offset(self, at: int) -> int:
        """Return the position in the file of a position in `utf8`."""
        if self.encoding == "utf-8":
            return self.bom + at
        head = self.utf8[:at].decode("utf-8", "ignore")
        return self.bom + len(head.encode(self.encoding, "surrogatepass"))


def read_once(path: Path) -> bytes:
    """Return the bytes of a regular file, read once.

    Raises Unreadable for anything else (link, folder, pipe, device), for an empty file and above MAX_BYTES.
    """
    name = quoted(path.name)
    handle = _open(path, name)
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise Unreadable(f"{name} is {_file_kind(status.st_mode)}; expected a file. Resubmit the notebook itself.")
        size = status.st_size
        with open(handle, "rb", closefd=False) as file:
            data = file.read(size) if size <= MAX_BYTES else b""
    except OSError as error:
        raise Unreadable(f"{name} cannot be read: {error.strerror}. Resubmit the notebook.") from None
    finally:
        os.close(handle)
    if size > MAX_BYTES:
        raise Unreadable(
            f"{name} has {size / 2**20:,.0f} MiB; expected at most {MAX_BYTES // 2**20} MiB. "
            "Clear the saved outputs (Restart Kernel and Clear Outputs), save and resubmit."
        )
    if not data:
        raise Unreadable(f"{name} is empty (0 bytes); expected a notebook. Save your work and resubmit.")
    return data


def open_regular(path: Path) -> BufferedReader | None:
    """Open a regular file to read; None for anything else. A link is not followed, a pipe not waited for."""
    try:
        handle = os.open(path, FLAGS)
    except (OSError, ValueError):
        return None
    if stat.S_ISREG(os.fstat(handle).st_mode):
        return open(handle, "rb")
    os.close(handle)
    return None


def as_text(data: bytes, name: str) -> Text:
    """Return the bytes of a JSON object as UTF-8, whatever encoding and byte-order mark they came in.

    Raises Unreadable, naming what the file looks like, when they are no text or do not begin with a brace.
    """
    bom, encoding = next(((len(mark), code) for mark, code in BOMS if data.startswith(mark)), (0, ""))
    encoding = encoding or json.detect_encoding(data)
    text = Text(data[bom:], encoding, bom)
    if encoding != "utf-8":
        try:
            text = Text(data[bom:].decode(encoding).encode(), encoding, bom)
        except UnicodeError:
            raise Unreadable(_not_a_notebook(name, data)) from None
    if not text.utf8.lstrip(b" \t\r\n").startswith(b"{") or RICH_TEXT.match(text.utf8):
        raise Unreadable(_not_a_notebook(name, text.utf8))
    marker = MERGE_MARKER.search(text.utf8)
    if marker:
        raise Unreadable(
            f"{name} holds an unresolved Git conflict (a line '<<<<<<<' at byte {text.offset(marker.start())}); "
            "expected one version. Resolve the conflict, open the notebook to see that it works, and resubmit."
        )
    return text


def _open(path: Path, name: str) -> int:
    try:
        return os.open(path, FLAGS)
    except ValueError:  # a zero byte in the path
        raise Unreadable(f"{name} is no possible file name; rename the notebook and resubmit.") from None
    except OSError as error:
        why = "it is a symbolic link" if error.errno == errno.ELOOP else error.strerror
        raise Unreadable(f"{name} cannot be opened: {why}. Resubmit the notebook itself.") from None


def _file_kind(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return "a folder"
    return "a pipe" if stat.S_ISFIFO(mode) else "a device or socket"


def _not_a_notebook(name: str, data: bytes) -> str:
    looks = next((what for pattern, what in LOOKS if pattern.match(data)), "no JSON text")
    return (
        f"{name} is not a notebook: it looks like {looks}. "
        "Download the notebook itself (File > Download, .ipynb), open it once to see that it works, and resubmit."
    )
