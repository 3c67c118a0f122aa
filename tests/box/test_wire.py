"""The wire: what is sent arrives; whatever else arrives is a value or a WireError, soon and in little memory."""

from __future__ import annotations

import json
import math
import time
import tracemalloc
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.box import wire
from autograder.box.wire import WireError, decode, encode, read_frame

SEEN_BYTES = 64 << 20  # what a megabyte of header may become: lists of lists have some 60 bytes for each of their 3
TENSORS = [
    *(torch.arange(6, dtype=dtype).reshape(2, 3) for dtype in wire.DTYPE_NAMES if dtype is not torch.bool),
    torch.tensor([True, False]),
    torch.tensor(1.5),
    torch.empty(0, 2),
    torch.randn(4, 3, generator=torch.Generator().manual_seed(0)).T,
    torch.ones(1, requires_grad=True),
]
scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text() | st.binary()
values = st.recursive(
    scalars | st.sampled_from(TENSORS),
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def there_and_back(value: Any) -> Any:
    """Encode, and read the frame as a socket would give it."""
    return read(encode(value))


def read(data: bytes) -> Any:
    """Read one frame; EOFError when the bytes end too early."""
    rest = memoryview(data)

    def receive(count: int) -> bytearray:
        nonlocal rest
        if count > len(rest):
            raise EOFError
        taken, rest = rest[:count], rest[count:]
        return bytearray(taken)

    return read_frame(receive)


def same(one: Any, other: Any) -> bool:
    """Compare by type and value; NaN equals itself, tensors by dtype, shape and bits."""
    if isinstance(one, torch.Tensor):
        return one.dtype == other.dtype and one.shape == other.shape and torch.equal(one.detach(), other)
    if type(one) is not type(other):
        return False
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    return one == other or (isinstance(one, float) and math.isnan(one) and math.isnan(other))


@settings(deadline=None)
@given(values)
def test_values_arrive_as_they_were_sent(value: Any) -> None:
    """Type, shape, bits and order survive the way there and back."""
    assert same(value, there_and_back(value))


def test_tensor_bits_arrive_for_every_dtype() -> None:
    """NaN payloads and negative zero are bits like others."""
    bits = torch.tensor([0x7FC00123, -(2**31), 1], dtype=torch.int32).view(torch.float32)
    assert torch.equal(there_and_back(bits).view(torch.int32), bits.view(torch.int32))


@pytest.mark.parametrize("rows", [1, wire.LARGE_BYTES])
def test_received_tensor_can_be_written_to(rows: int) -> None:
    """A received tensor owns its memory, and writing into it changes no other; large ones are parts of a frame."""
    one, other = there_and_back([torch.zeros(rows, 2), torch.zeros(rows, 2)])
    one += 1
    assert torch.equal(other, torch.zeros(rows, 2))
    assert torch.equal(one, torch.ones(rows, 2))


@pytest.mark.parametrize("before", [0, 1, 8])
@pytest.mark.parametrize("dtype", list(wire.DTYPES.values()), ids=str)
def test_large_tensors_arrive_wherever_they_lie_in_a_frame(dtype: torch.dtype, before: int) -> None:
    """A tensor that is not copied, or that is because its numbers would lie across words; not all in order, too."""
    value = torch.randint(0, 2, (3, wire.LARGE_BYTES), generator=torch.Generator().manual_seed(before)).to(dtype)
    arrived = there_and_back([b"x" * before, value, value.t()])
    assert same(arrived, [b"x" * before, value, value.t()])
    assert [tensor.data_ptr() % wire.WORD_BYTES for tensor in arrived[1:]] == [0, 0]


def test_large_tensors_are_not_copied() -> None:
    """A frame of some megabytes takes its own memory, and no more for the tensors in it."""
    sent = encode([torch.zeros(1 << 18), torch.ones(1 << 18)])
    held: list[bytearray] = []

    def receive(count: int) -> bytearray:
        nonlocal sent
        held.append(bytearray(sent[:count]))
        sent = sent[count:]
        return held[-1]

    zeros, _ = read_frame(receive)
    zeros += 1
    assert torch.frombuffer(held[-1], dtype=torch.float32).eq(1).all()


def test_a_frame_that_cannot_be_written_to_stays_as_it_is() -> None:
    """Of constant bytes even a large tensor is a copy."""
    frame = encode(torch.zeros(1 << 18))
    header_bytes, body_bytes = wire.PREFIX.unpack(frame[: wire.PREFIX.size])
    header, body = frame[wire.PREFIX.size :][:header_bytes], frame[-body_bytes:]
    received = decode(header, body)
    received += 1
    assert body == bytes(body_bytes)


class Liar(str):
    """A str that is not exactly one."""


@pytest.mark.parametrize(
    "value",
    [
        object(),
        {1: 2},
        {Liar("a"): 1},
        Liar("a"),
        2**63,
        {1, 2},
        torch.ones(2).to_sparse(),
        torch.ones(2, dtype=torch.complex64),
        torch.empty(3, device="meta"),
        torch.zeros(1).expand(10**12),
        torch.zeros(16_000_000, 0),
        torch.zeros((1,) * (wire.MAX_DIMENSIONS + 1)),
        b"x" * (wire.MAX_BODY_BYTES + 1),
        "x" * wire.MAX_HEADER_BYTES,
    ],
    ids=lambda value: type(value).__name__,
)
def test_other_values_are_refused_when_sent(value: Any) -> None:
    """Only exact types within the limits are sent; an expanded tensor of a terabyte is refused before it is copied."""
    with pytest.raises(WireError):
        encode(value)


def test_deep_nesting_is_refused_when_sent() -> None:
    """A list in itself ends in an error, not in a recursion without end."""
    knot: list[Any] = []
    knot.append(knot)
    with pytest.raises(WireError, match="deeply"):
        encode(knot)


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=400))
def test_raw_bytes_are_a_value_or_an_error(data: bytes) -> None:
    """Any bytes at all."""
    outcome(data)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["t", "d", "b", "x", "y"]), inner, min_size=1, max_size=2)
        | st.tuples(st.sampled_from([*wire.DTYPES, "bytes", "complex64"]), st.lists(st.integers(-1, 9), max_size=3))
    ),
    max_leaves=12,
)


@settings(deadline=None, max_examples=500)
@given(json_values, st.binary(max_size=64))
def test_well_formed_json_is_a_value_or_an_error(header: Any, body: bytes) -> None:
    """Headers of our own vocabulary, put together at random."""
    outcome(framed(header, body))


@settings(deadline=None, max_examples=300)
@given(values, st.data())
def test_damaged_frames_are_a_value_or_an_error(value: Any, data: st.DataObject) -> None:
    """A good frame in which a few bytes are other ones."""
    frame = bytearray(encode(value))
    for _ in range(data.draw(st.integers(1, 4))):
        frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
    outcome(bytes(frame))


def framed(header: Any, body: bytes = b"") -> bytes:
    """Return a frame with a header of any kind."""
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return wire.PREFIX.pack(len(raw), len(body)) + raw + body


def outcome(data: bytes) -> None:
    """Read the bytes; anything but a value, WireError or an early end is a failure of the test."""
    try:
        read(data)
    except (WireError, EOFError):
        return


FOUR = b"\0" * 4
HOSTILE = {
    "too_deep": [[] for _ in range(1)],
    "brackets": b"[" * 900_000,
    "braces": b'{"t":' * 100_000,
    "huge_integer": b"[" + b"9" * 4000 + b",[]]",
    "endless_digits": b"[" + b"9" * 900_000 + b",[]]",
    "no_pair": [1, [], 3],
    "no_list": {"t": []},
    "null": None,
    "unknown_tag": [{"q": 1}, []],
    "two_tags": [{"t": [], "d": []}, []],
    "tag_without_list": [{"t": 3}, []],
    "dict_of_letters": [{"d": ["ab"]}, []],
    "dict_key_number": [{"d": [[1, 2]]}, []],
    "dict_key_list": [{"d": [[[], 2]]}, []],
    "missing_buffer": [{"x": 0}, []],
    "negative_index": [{"x": -1}, [["float32", [1]]]],
    "true_index": [{"x": True}, [["uint8", [1]], ["uint8", [3]]]],
    "bytes_as_tensor": [{"x": 0}, [["bytes", [4]]]],
    "tensor_as_bytes": [{"b": 0}, [["float32", [1]]]],
    "unknown_dtype": [{"x": 0}, [["complex64", [1]]]],
    "dtype_is_list": [{"x": 0}, [[["float32"], [1]]]],
    "too_short": [{"x": 0}, [["float64", [1]]]],
    "unclaimed": [None, []],
    "negative_length": [{"x": 0}, [["float32", [-1]]]],
    "float_length": [{"x": 0}, [["float32", [1.0]]]],
    "nan_length": [{"x": 0}, [["float32", [math.nan]]]],
    "bool_length": [{"x": 0}, [["float32", [True]]]],
    "huge_shape": [{"x": 0}, [["float32", [2**24] * 8]]],
    "huge_empty_shape": [[{"x": 0}, {"x": 1}], [["float32", [0, 2**24, 2**24]], ["float32", [1]]]],
    "millions_of_empty_rows": [[{"x": 0}, {"x": 1}], [["float32", [2**24, 0]], ["float32", [1]]]],
    "many_dimensions": [{"x": 0}, [["float32", [1] * 9]]],
    "many_buffers": [None, [["bytes", [0]]] * 4097],
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_headers_are_refused(name: str) -> None:
    """Each of these is an error of the wire, whatever Python or torch would say to it."""
    header = HOSTILE[name]
    if name == "too_deep":
        for _ in range(40):
            header = [header]
        header = [header, []]
    with pytest.raises(WireError):
        read(framed(header, FOUR))


def test_a_buffer_is_named_once() -> None:
    """A small frame cannot name one tensor a hundred thousand times and keep the judge busy with it."""
    with pytest.raises(WireError, match="not there"):
        read(framed([[{"x": 0}, {"x": 0}], [["float32", [1]]]], FOUR))


@pytest.mark.parametrize(("header", "body"), [(2**20 + 1, 0), (2, 2**24 + 1), (2**32 - 1, 2**32 - 1)])
def test_lengths_are_checked_before_anything_is_read(header: int, body: int) -> None:
    """A prefix that promises too much is refused before a byte of it is waited for."""
    with pytest.raises(WireError, match="over the limit"):
        read(wire.PREFIX.pack(header, body))


def test_largest_header_stays_small_and_quick() -> None:
    """A megabyte of header becomes no more than a bounded value, within seconds."""
    header = b"[[" + b",".join([b"[]"] * 340_000) + b"],[]]"
    tracemalloc.start()
    started = time.process_time()
    decode(header, b"")
    took, peak = time.process_time() - started, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < SEEN_BYTES
    assert took < 10  # measured: 0.6 s, most of it tracemalloc's own


def test_booleans_are_zero_or_one() -> None:
    """A byte of 7 for a bool, undefined inside torch, arrives as True."""
    (value,) = read(framed([[{"x": 0}], [["bool", [4]]]], b"\x07\0\1\xff"))
    assert value.view(torch.uint8).tolist() == [1, 0, 1, 1]
