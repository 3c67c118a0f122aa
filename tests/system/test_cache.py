"""What is kept between runs: the same numbers, if all that decides them is the same, and never another user's."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from autograder.system import cache
from tests.boxes import descriptors


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a cache of this test's own, which is not made yet."""
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


class Making:
    """Makes tensors, and counts how often."""

    def __init__(self, value: float = 0.1) -> None:
        self.made = 0
        self.tensors = [torch.full((3, 2), value), torch.tensor([float("nan"), -0.0, 1e-45]), torch.tensor([value])]

    def __call__(self) -> list[Tensor]:
        """Return the tensors."""
        self.made += 1
        return self.tensors

    def kept(self, *key: str | bytes) -> list[Tensor]:
        """Ask the cache."""
        return cache.kept(key or ("key",), self)


def same(found: list[Tensor], expected: list[Tensor]) -> bool:
    """Say whether two lists of tensors agree to the last bit."""
    pairs = list(zip(found, expected, strict=True))
    return all(a.shape == b.shape and a.numpy().tobytes() == b.numpy().tobytes() for a, b in pairs)


def test_a_second_run_reads_what_the_first_has_computed(place: Path) -> None:
    """To the last bit, in memory that is aligned as torch aligns its own, from files that only their owner can open."""
    making = Making()
    for _ in range(2):
        found = making.kept()
        assert same(found, making.tensors)
    assert making.made == 1
    assert all(tensor.data_ptr() % 64 == 0 for tensor in found)
    assert [path.stat().st_mode & 0o777 for path in (place, *place.iterdir())] == [0o700, 0o600]


@pytest.mark.parametrize("other", [("k", "ey"), ("key", ""), (b"kez",), ("key\0",)], ids=str)
def test_another_key_is_another_result(other: tuple[str | bytes, ...]) -> None:
    """Parts of a key that make up the same text are still other parts."""
    first, second = Making(0.1), Making(0.2)
    first.kept("key")
    assert same(second.kept(*other), second.tensors)
    assert same(first.kept("key"), first.tensors)
    assert (first.made, second.made) == (1, 1)


CHANGES: dict[str, Callable[[pytest.MonkeyPatch, Path], None]] = {
    "python": lambda patch, _: patch.setattr("platform.python_version", lambda: "3.99.0"),
    "system": lambda patch, _: patch.setattr("platform.platform", lambda: "another"),
    "order": lambda patch, _: patch.setattr("sys.byteorder", "big"),
    "torch": lambda patch, _: patch.setattr("torch.__version__", "9"),
    "numpy": lambda patch, _: patch.setattr("numpy.__version__", "9"),
    "capability": lambda patch, _: patch.setattr("torch.backends.cpu.get_cpu_capability", lambda: "NONE"),
    "threads": lambda patch, _: patch.setattr("torch.get_num_threads", lambda: 77),
    "variable": lambda patch, _: patch.setenv("MKL_CBWR", "COMPATIBLE"),
    "processor": lambda patch, _: patch.setattr(cache, "PROCESSOR", ()),
    "code": lambda patch, folder: patch.setattr(cache, "__file__", str(folder / "package" / "system" / "cache.py")),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_decides_a_result_is_part_of_its_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, change: str) -> None:
    """Other versions, processors, threads, switches or code compute for themselves."""
    making = Making()
    making.kept()
    CHANGES[change](monkeypatch, tmp_path)
    making.kept()
    assert making.made == 1  # a process asks once: its code is what it was when it started
    cache._surroundings.cache_clear()
    making.kept()
    assert making.made == 2
    cache._surroundings.cache_clear()


def only_file(place: Path) -> Path:
    """Return the one file of the cache."""
    (path,) = place.iterdir()
    return path


def flip(path: Path, at: int) -> None:
    """Change a bit of a file."""
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


BREAKS: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "hash_alone": lambda path: path.write_bytes(path.read_bytes()[: cache.DIGEST]),
    "incomplete": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"\0"),
    "bit_of_the_hash": lambda path: flip(path, 0),
    "bit_of_a_shape": lambda path: flip(path, cache.DIGEST + 2),
    "bit_of_a_number": lambda path: flip(path, -1),
    "text": lambda path: path.write_text("hello\n" * 1000),
    "pickle": lambda path: torch.save(torch.ones(3), path),
}


@pytest.mark.parametrize("way", BREAKS)
def test_a_broken_file_is_computed_again_and_replaced(place: Path, way: str) -> None:
    """Whatever is wrong with it; nothing is left open."""
    making = Making()
    making.kept()
    BREAKS[way](only_file(place))
    for _ in range(2):
        assert same(making.kept(), making.tensors)
    assert making.made == 2
    assert len(list(place.iterdir())) == 1


def in_its_place(make: Callable[[Path], object]) -> Callable[[Path], object]:
    """Return what puts something that is no file in the place of one."""
    return lambda path: (path.unlink(), make(path))


@pytest.mark.parametrize(
    "make", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to("/dev/zero")], ids=["folder", "fifo", "endless"]
)
def test_what_is_no_file_is_not_waited_for(place: Path, make: Callable[[Path], object]) -> None:
    """A folder, a pipe that nobody writes to, a link to a device."""
    making = Making()
    making.kept()
    in_its_place(make)(only_file(place))
    before = descriptors()
    assert same(making.kept(), making.tensors)
    assert making.made == 2
    assert descriptors() == before


def test_a_result_under_the_name_of_another_is_not_taken(place: Path) -> None:
    """The hash counts the name in."""
    first, second = Making(0.1), Making(0.2)
    first.kept("first")
    path = only_file(place)
    content = path.read_bytes()
    second.kept("second")
    other = next(each for each in place.iterdir() if each != path)
    other.write_bytes(content)
    assert same(second.kept("second"), second.tensors)


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o701])
def test_a_folder_that_others_can_open_is_not_used(place: Path, mode: int) -> None:
    """Neither read nor written to; the doctor says why."""
    making = Making()
    making.kept()
    before = only_file(place).read_bytes()
    place.chmod(mode)
    making.kept("key")
    making.kept("another")
    assert making.made == 3
    assert only_file(place).read_bytes() == before
    assert "mode 700" in cache.described()


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to give files away")
@pytest.mark.parametrize("what", ["folder", "file"])
def test_what_belongs_to_somebody_else_is_not_used(place: Path, what: str) -> None:
    """Its content may be right, and its mode too."""
    making = Making()
    making.kept()
    os.chown(place if what == "folder" else only_file(place), 12345, 12345)
    making.kept()
    assert making.made == 2


def test_where_nothing_can_be_kept_nothing_is(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file in the folder's place, a home that cannot be written to, the switch: the result is there all the same."""
    making = Making()
    place.write_text("a file")
    assert same(making.kept(), making.tensors)
    monkeypatch.setenv(cache.VARIABLE, "/proc/cache")
    assert same(making.kept(), making.tensors)
    assert cache.described().startswith("none: ")
    monkeypatch.setenv(cache.VARIABLE, "off")
    assert same(making.kept(), making.tensors)
    assert cache.described() == "none: switched off by AUTOGRADER_CACHE"
    assert making.made == 3


def test_a_full_disk_leaves_nothing_behind(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The result is there, half a file is not."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("os.replace", full)
    making = Making()
    assert same(making.kept(), making.tensors)
    assert list(place.iterdir()) == []


def test_the_least_recently_used_goes_first(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limit, with what a killed run has left; files that are not ours stay."""
    making = Making()
    for number, key in enumerate(("first", "second", "third")):
        making.kept(key)
        for path in place.iterdir():
            if path.stat().st_mtime > 1_000_000:
                os.utime(path, (number, number))
    size = path.stat().st_size
    (place / "half.tensors").write_bytes(bytes(size))
    os.utime(place / "half.tensors", (0, 0))
    (place / "notes").write_bytes(bytes(10 * size))
    monkeypatch.setattr(cache, "LIMIT_BYTES", 3 * size)
    making.kept("first")  # used now
    making.kept("fourth")
    assert making.made == 4
    assert len(list(place.glob("*.tensors"))) == 3
    assert (place / "notes").exists()
    for key in ("first", "third", "fourth"):
        making.kept(key)
    assert making.made == 4
    making.kept("second")
    assert making.made == 5


def test_two_writers_do_not_disturb_each_other(place: Path) -> None:
    """Each has its result, and one whole file is left."""
    both = threading.Barrier(2)

    class Together(Making):
        def __call__(self) -> list[Tensor]:
            both.wait()
            return super().__call__()

    writers = [Together(), Together()]
    found: list[list[Tensor]] = []
    threads = [threading.Thread(target=lambda writer=writer: found.append(writer.kept())) for writer in writers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [writer.made for writer in writers] == [1, 1]
    assert all(same(each, writers[0].tensors) for each in found)
    assert only_file(place)
    third = Making()
    third.kept()
    assert third.made == 0


def test_the_folder_is_where_the_platform_keeps_such_things(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the variable it is the user's own cache folder."""
    monkeypatch.delenv(cache.VARIABLE)
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path / "caches" / name)
    assert cache.folder() == tmp_path / "caches" / "autograder"
    assert cache.described() == f"{tmp_path}/caches/autograder, 0 of at most 128 MiB"
