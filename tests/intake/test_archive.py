"""Archives of hand-ins: the ordinary ones are unpacked, the hostile ones refused in a sentence or kept in bounds."""

from __future__ import annotations

import stat
import struct
import zipfile
from pathlib import Path

import pytest

from autograder.errors import UsageError
from autograder.intake import archive as module
from autograder.intake.archive import unpack
from autograder.intake.file import MAX_BYTES


@pytest.fixture
def to(tmp_path: Path) -> Path:
    """Return an empty folder."""
    folder = tmp_path / "to"
    folder.mkdir()
    return folder


def packed(archive: Path, *entries: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    """Write an archive of these entries, in this order."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
        for entry, data in entries:
            opened.writestr(entry, data)
    return archive


def special(name: str, kind: int) -> zipfile.ZipInfo:
    """Return an entry that is no regular file."""
    entry = zipfile.ZipInfo(name)
    entry.create_system = 3  # Unix
    entry.external_attr = (kind | 0o777) << 16
    return entry


REFUSED = {
    "climbs": (["../x.ipynb"], "'../x.ipynb' leads out of the archive"),
    "climbs later": (["a/../../x.ipynb"], "leads out of the archive"),
    "absolute": (["/etc/cron.d/x.ipynb"], "leads out of the archive"),
    "nothing between": (["a//x.ipynb"], "leads out of the archive"),
    "here": (["./x.ipynb"], "leads out of the archive"),
    "link": ([special("a/x.ipynb", stat.S_IFLNK)], "is a link or a device"),
    "device": ([special("x.ipynb", stat.S_IFCHR)], "is a link or a device"),
    "pipe": ([special("x.ipynb", stat.S_IFIFO)], "is a link or a device"),
    "file and folder": (["a.ipynb", "a.ipynb/b.ipynb"], "'a.ipynb' is a file and a folder"),
    "long name": ([f"{'x' * 250}.ipynb"], "has too long a name"),
    "long path": (["a/" * 600 + "x.ipynb"], "has too long a name"),
    "signs that mislead": (["../\u202eevil\n\x1b[31m"], "'../\ufffdevil ' leads out of the archive"),
}


@pytest.mark.parametrize(("names", "says"), REFUSED.values(), ids=REFUSED)
def test_unpack_refuses(tmp_path: Path, to: Path, names: list[str | zipfile.ZipInfo], says: str) -> None:
    """One clear sentence about the entry, and nothing is written: neither beside it nor what comes before it."""
    archive = packed(tmp_path / "x.zip", ("ada/fine.ipynb", b"{}"), *((name, b"{}") for name in names))
    with pytest.raises(UsageError, match=says) as refused:
        unpack(archive, to)
    assert str(refused.value).startswith("x.zip: ")
    assert str(refused.value).endswith("; nothing was unpacked")
    assert "\n" not in str(refused.value)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["to", "x.zip"]


@pytest.mark.filterwarnings("ignore:Duplicate name")  # zipfile's own, while the archive is made
def test_unpack_refuses_two_of_one_name(tmp_path: Path, to: Path) -> None:
    """Which of the two was handed in nobody can tell."""
    archive = packed(tmp_path / "x.zip", ("ada.ipynb", b"1"), ("ada.ipynb", b"2"))
    with pytest.raises(UsageError, match=r"'ada\.ipynb' stands there twice"):
        unpack(archive, to)


def test_unpack_cuts_a_notebook_that_swells(tmp_path: Path, to: Path) -> None:
    """A small archive of an endless notebook: its student's report will say that it is too large, the others stay."""
    archive = packed(tmp_path / "x.zip", ("a.ipynb", bytes(MAX_BYTES + 5_000_000)), ("b.ipynb", b"{}"))
    assert archive.stat().st_size < 100_000
    unpack(archive, to)
    assert (to / "a.ipynb").stat().st_size == MAX_BYTES + 1
    assert (to / "b.ipynb").read_bytes() == b"{}"


def test_unpack_refuses_more_than_fits(tmp_path: Path, to: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All together are bounded, before anything is written; and so is their number."""
    archive = packed(tmp_path / "x.zip", *((f"{name}.ipynb", bytes(1000)) for name in "abc"))
    monkeypatch.setattr(module, "MOST_BYTES", 2999)
    with pytest.raises(UsageError, match=r"x\.zip would take 0\.0 GiB unpacked; nothing was unpacked"):
        unpack(archive, to)
    monkeypatch.setattr(module, "MOST_ENTRIES", 2)
    with pytest.raises(UsageError, match=r"x\.zip holds 3 files, more than 2; nothing was unpacked"):
        unpack(archive, to)
    assert list(to.iterdir()) == []


def test_unpack_does_not_believe_a_false_size(tmp_path: Path, to: Path) -> None:
    """An entry that holds more than it says ends in a sentence, with no more written than it said."""
    archive = packed(tmp_path / "x.zip", ("a.ipynb", bytes(1_000_000)))
    data = archive.read_bytes().replace(struct.pack("<L", 1_000_000), struct.pack("<L", 10))
    archive.write_bytes(data)
    with pytest.raises(UsageError, match=r"x\.zip cannot be unpacked: .*; download it again"):
        unpack(archive, to)
    assert (to / "a.ipynb").stat().st_size <= 10


def test_unpack_says_what_is_damaged(tmp_path: Path, to: Path) -> None:
    """A cut archive, a text called .zip, and an encrypted entry: a sentence each."""
    whole = packed(tmp_path / "x.zip", ("a.ipynb", b"{}" * 1000)).read_bytes()
    locked = whole.replace(b"PK\x01\x02\x14\x03\x14\x00\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01\x00")
    for data, says in (
        (whole[: len(whole) // 2], "cannot be unpacked"),
        (b"no archive", "cannot be unpacked"),
        (locked, "'a.ipynb' is encrypted"),
        (
            whole.replace(b"PK\x01\x02\x14\x03\x14\x00\x00\x00\x08\x00", b"PK\x01\x02\x14\x03\x14\x00\x00\x00\x63\x00"),
            "cannot",
        ),
    ):
        archive = tmp_path / "x.zip"
        archive.write_bytes(data)
        with pytest.raises(UsageError, match=says):
            unpack(archive, to)


def test_unpack_keeps_names_and_content(tmp_path: Path, to: Path) -> None:
    """Odd names are kept as they are, UTF-8 without the mark of it too; of other files there is the name alone."""
    archive = tmp_path / "x.zip"
    names = ["Zoë/hw.ipynb", "two\nlines.ipynb", "\u202e😀.ipynb", "a\\b.ipynb"]
    packed(archive, *((name, name.encode()) for name in names), ("ada/essay.pdf", b"%PDF"), ("empty/", b""))
    data = archive.read_bytes()
    for header in (b"PK\x03\x04\x14\x00", b"PK\x01\x02\x14\x03\x14\x00"):
        assert header + b"\x00\x08" in data
        data = data.replace(header + b"\x00\x08", header + b"\x00\x00")
    archive.write_bytes(data)
    unpack(archive, to)
    found = {str(path.relative_to(to)): path.read_bytes() for path in to.rglob("*.*")}
    assert found == {**{name: name.encode() for name in names}, "ada/essay.pdf": b""}
