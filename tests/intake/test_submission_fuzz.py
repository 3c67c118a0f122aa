"""Whatever the bytes are, the reader returns a submission or says why not; it never fails, and is quick."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from autograder.intake.submission import UnreadableFile, read_submission
from tests import notebooks

SECONDS = 5.0  # for a few kilobytes; a hang is what this is for, not speed
few = settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))

REFERENCE = json.dumps(dict(notebooks.reference_notebook())).encode()

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
)
ids = st.sampled_from([*notebooks.assignment().locked, *notebooks.reference_answers(), "", "other", "a\u202eb"])
code = st.sampled_from([*notebooks.reference_answers().values(), "", "def ema_update(", "\x00", "\ud800", "!ls"])
code |= st.sampled_from([cell.source for cell in notebooks.assignment().locked.values()]) | st.text()


def one_of_or_odd(usual: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return mostly what is usual, and now and then anything at all."""
    return st.one_of(usual, usual, usual, values)


cells = st.fixed_dictionaries(
    {
        "cell_type": one_of_or_odd(st.sampled_from(["code", "code", "markdown", "raw", "heading"])),
        "metadata": one_of_or_odd(st.fixed_dictionaries({"nbgrader": st.fixed_dictionaries({"grade_id": ids})})),
        "source": one_of_or_odd(code | st.lists(code, max_size=3)),
    },
    optional={"outputs": values, "input": code, "id": values},
)
books = st.fixed_dictionaries(
    {"cells": one_of_or_odd(st.lists(one_of_or_odd(cells), max_size=12))},
    optional={
        "nbformat": values,
        "metadata": values,
        "worksheets": one_of_or_odd(
            st.lists(st.fixed_dictionaries({"cells": st.lists(cells, max_size=3)}), max_size=2)
        ),
    },
)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where the file under test stands."""
    return tmp_path_factory.mktemp("fuzz") / notebooks.FILE


def check(path: Path, data: bytes) -> None:
    """Read the bytes twice: the same outcome, well-formed, in time."""
    path.write_bytes(data)
    began = time.process_time()
    outcomes = []
    for _ in range(2):
        try:
            outcomes.append(read_submission(path, notebooks.assignment()))
        except UnreadableFile as error:
            text = str(error)
            assert text.isprintable()
            assert len(text) < 1000
            outcomes.append(text)
    assert time.process_time() - began < SECONDS
    assert outcomes[0] == outcomes[1]
    if not isinstance(outcomes[0], str):
        numbers = [cell.number for cell in outcomes[0].cells]
        assert numbers == sorted(set(numbers))
        assert all(set(found) <= set(numbers) for found in outcomes[0].answers.values())
        assert all(notice.message.isprintable() for notice in outcomes[0].notices)
        for cell in outcomes[0].cells:
            cell.source.encode()
            cell.grade_id.encode()


@few
@given(st.binary(max_size=300))
@example(b"")
@example(b"{")
@example(b'{"')
@example(b'{"\\')
@example(b'{"cells"')
@example(b'{"cells":[{"source":' + b"9" * 5000)
@example(b'{"cells":[{"cell_type":"code","source":[1e999]}]}')
@example(b'{"cells":[]}]')
@example(b"\xff\xfe{\x00\x00")
@example(b"\x00\x00\xfe\xff\xff\xff\xff\xff")
def test_raw_bytes_never_fail(path: Path, data: bytes) -> None:
    """Any bytes."""
    check(path, data)


@few
@given(st.text(alphabet='{}[]:,"\\ \n01cellsourcutpmadh\x00', max_size=120).map(lambda text: '{"cells":[' + text))
def test_nearly_json_never_fails(path: Path, text: str) -> None:
    """Any brackets, quotes and escapes behind the beginning of a notebook."""
    check(path, text.encode())


@few
@given(books, st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]), st.booleans())
def test_any_structure_never_fails(path: Path, book: dict[str, Any], encoding: str, ascii_only: bool) -> None:
    """Any values in a notebook's places, in any encoding."""
    text = json.dumps(book, ensure_ascii=ascii_only)
    check(path, text.encode(encoding, "surrogatepass"))


@few
@given(st.data())
def test_a_damaged_notebook_never_fails(path: Path, data: st.DataObject) -> None:
    """A real notebook with some bytes cut out, doubled or replaced."""
    damaged = bytearray(REFERENCE)
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(damaged)))
        end = min(len(damaged), start + data.draw(st.sampled_from([0, 1, 2, 50, 5000])))
        damaged[start:end] = data.draw(st.binary(max_size=8) | st.just(bytes(damaged[start:end] * 2)))
    check(path, bytes(damaged))
