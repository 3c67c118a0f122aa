"""The time that a cell of the student's own may take, inside the box."""

from __future__ import annotations

import errno
import itertools
import subprocess
import time
from collections.abc import Callable
from typing import Any

import pytest

from autograder.box import failures
from autograder.box.failures import SLACK, CellTooSlow, describe_failure
from autograder.box.messages import Failure
from autograder.box.source import compile_cell

LIMIT_SECONDS = 0.05


def seconds_until_cut_short() -> float:
    """Return how long a cell ran that never ends by itself."""
    started = time.monotonic()
    with pytest.raises(CellTooSlow), CellTooSlow.after(LIMIT_SECONDS):
        for _ in itertools.count():
            pass
    return time.monotonic() - started


def test_cell_is_cut_short_at_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cell that had the processor for itself ends at its limit."""
    monkeypatch.setattr(failures, "waiting_seconds", lambda: 0.0)
    assert seconds_until_cut_short() >= LIMIT_SECONDS


def test_cell_is_not_charged_for_waiting_but_ends_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cell that only waited for a processor gets three times its limit, and no more than that."""
    monkeypatch.setattr(failures, "waiting_seconds", time.monotonic)
    assert seconds_until_cut_short() >= SLACK * LIMIT_SECONDS - failures.SHORTEST_SECONDS * SLACK


def test_waiting_is_told_for_this_thread() -> None:
    """The kernel's count of waiting never falls."""
    first = failures.waiting_seconds()
    assert 0.0 <= first <= failures.waiting_seconds()


class Awkward(Exception):
    """An exception whose every attribute raises."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __str__(self) -> str:
        raise RuntimeError


class Unhashable(type):
    """A metaclass that refuses what classes are usually asked."""

    def __getattribute__(cls, name: str) -> Any:
        raise RuntimeError(name)

    def __hash__(cls) -> int:
        raise RuntimeError


def refusing() -> Exception:
    """Return an exception of such a class, made late: dask looks at all classes of exceptions when it is imported."""

    class Refusing(ValueError, metaclass=Unhashable):
        """Refuses even its name."""

    return Refusing()


def described(error: BaseException) -> Failure:
    """Return the description of an exception raised in cell 7."""
    namespace = {"error": error}
    try:
        exec(compile("\nraise error", "<cell 7>", "exec"), namespace)
    except BaseException as raised:
        return describe_failure(raised)
    raise AssertionError


def with_attributes(error: Exception, **attributes: Any) -> Exception:
    """Return an exception with attributes of any kind."""
    for name, value in attributes.items():
        setattr(error, name, value)
    return error


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (Awkward, "Exception"),
        (refusing, "ValueError"),
        (lambda: with_attributes(OSError(), errno=[]), "OSError"),
        (lambda: with_attributes(ValueError("x"), reason=7, errno="2"), "ValueError"),
        (lambda: with_attributes(SyntaxError("x"), filename=[], lineno=[]), "SyntaxError"),
    ],
    ids=["raising", "metaclass", "number", "reason", "file"],
)
def test_exception_that_resists_is_described_as_far_as_it_lets(make: Callable[[], Exception], kind: str) -> None:
    """What cannot be read of it is left out; it is an exception like others, not the end of the process."""
    found = described(make())
    assert (found.kind, found.type) == ("runtime", kind)
    assert all(type(value) in (str, int, type(None)) for value in found.values())


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (MemoryError(), "memory"),
        (OSError(errno.ENOMEM, "no"), "memory"),
        (OSError(errno.ENOSPC, "no"), "resource"),
        (PermissionError(errno.EACCES, "no"), "blocked"),
        (subprocess.CalledProcessError(1, ["pip", "install"]), "blocked"),
        (NotImplementedError(), "not_attempted"),
        (ValueError(), "runtime"),
    ],
)
def test_kind_and_place(error: Exception, kind: str) -> None:
    """The kind is the limit or wall that was met; the place is the line of the student's cell."""
    found = described(error)
    assert (found.kind, found.cell, found.line) == (kind, 7, 2)


def test_what_filled_memory_is_let_go() -> None:
    """The variables of the student's frames hold on to memory, so they are cleared; the exception is kept by none."""

    class Kept:
        """Something large."""

    left = []
    Kept.__del__ = lambda self: left.append(1)  # type: ignore[attr-defined]
    namespace: dict[str, Any] = {"Kept": Kept}
    exec(compile("def f():\n    held = [Kept()]\n    raise MemoryError", "<cell 7>", "exec"), namespace)
    with pytest.raises(MemoryError) as caught:
        namespace["f"]()
    assert not left
    assert describe_failure(caught.value).kind == "memory"
    assert left


def test_line_that_is_no_number_is_left_out() -> None:
    """What a made-up syntax error says of its place crosses the wire as a number or not at all."""
    found = described(with_attributes(SyntaxError("x"), filename="<cell 3>", lineno=[], offset=4))
    assert (found.kind, found.cell, found.line, found.column) == ("syntax", 3, 2, 4)


def test_reserve_is_there_for_the_next_failure_too() -> None:
    """Memory may run out more than once in a box."""
    describe_failure(MemoryError())
    assert failures._reserve._held is not None


def test_null_byte_is_a_syntax_error_of_its_cell() -> None:
    """Python names no file for it; the cell is named all the same."""
    with pytest.raises(SyntaxError) as caught:
        compile_cell("x = 1\0", "<cell 7>")
    found = describe_failure(caught.value)
    assert (found.kind, found.cell) == ("syntax", 7)
