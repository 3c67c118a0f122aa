"""The only bytes that cross between judge, keeper and box.

A frame is two lengths, a JSON header and the raw bytes of tensors:

    header length (u32) | body length (u32) | header | body

The header holds a tree of None, bool, int (64 bits), float, str, and tagged objects for what JSON lacks: {"t": [...]}
tuple, {"d": [[key, value], ...]} dict with str keys, {"m": [name, ...]} a message's class and what its fields hold,
{"b": i} bytes and {"x": i} tensor, where i names a buffer of the body, each named at most once. Every length is checked
against a limit before anything is allocated for it, and nothing that arrives is ever unpickled or executed.
This file is mounted into the box, so it must hold nothing that a student may not read.
"""

import json
import socket
import struct
from collections.abc import Callable
from typing import Any, TypeVar

import torch

from autograder.box.schema import Message
from autograder.box.schema import WireError as WireError

PREFIX = struct.Struct(">II")
MAX_HEADER_BYTES = 1 << 20  # the largest honest header, a state dict of a few dozen tensors, has about 4 KiB
MAX_BODY_BYTES = 16 << 20  # hundreds of times the largest honest answer; the judge may copy it in double precision
MAX_BUFFERS = 4096
MAX_DEPTH = 32
MAX_DIMENSIONS = 8
MAX_EMPTY = 10_000  # the product of the lengths above zero of a tensor that has no bytes, and so no other bound
MAX_INT = 2**63
WORD_BYTES = 8  # of the largest number that a tensor holds
LARGE_BYTES = 1 << 14  # of a tensor: from here on it is worth not to copy it
CHANNEL_LOST = 121  # the exit status of a box whose end of the channel was closed under it

DTYPES = {
    str(dtype).removeprefix("torch."): dtype
    for dtype in (
        *(torch.float16, torch.bfloat16, torch.float32, torch.float64),
        *(torch.int8, torch.int16, torch.int32, torch.int64, torch.uint8, torch.bool),
    )
}
DTYPE_NAMES = {dtype: name for name, dtype in DTYPES.items()}

Receive = Callable[[int], bytes | bytearray]
Kept = TypeVar("Kept", torch.Tensor, bytes)


def encode(value: Any) -> bytes:
    """Return the frame of a value; raises WireError for a type that may not cross, or one too large."""
    buffers: list[bytes | memoryview] = []
    described: list[list[Any]] = []
    tree = _pack(value, buffers, described, 0)
    header = json.dumps([tree, described], separators=(",", ":")).encode("utf-8", "surrogatepass")
    body_bytes = sum(map(len, buffers))
    _check_sizes(len(header), body_bytes)
    return b"".join((PREFIX.pack(len(header), body_bytes), header, *buffers))


def read_frame(receive: Receive) -> Any:
    """Read one frame by `receive(n)`, which returns exactly n bytes or raises, and return its value.

    Raises WireError for anything that is no well-formed frame within the limits.
    """
    header_bytes, body_bytes = PREFIX.unpack(receive(PREFIX.size))
    _check_sizes(header_bytes, body_bytes)
    return decode(bytes(receive(header_bytes)), receive(body_bytes) if body_bytes else b"")


def decode(header: bytes, body: bytes | bytearray) -> Any:
    """Return the value of a header and its body; raises WireError when they do not fit each other."""
    try:
        tree, described = json.loads(header.decode("utf-8", "surrogatepass"))
        if not isinstance(described, list) or len(described) > MAX_BUFFERS:
            raise WireError("a frame may describe a list of at most 4096 buffers")
        return _unpack(tree, _buffers(described, body), 0)
    except WireError:
        raise
    except (ValueError, TypeError, KeyError, IndexError, RecursionError, OverflowError, RuntimeError) as error:
        raise WireError(f"malformed frame: {type(error).__name__}") from None


def send(sock: socket.socket, value: Any) -> None:
    """Send one value over a blocking socket."""
    sock.sendall(encode(value))


def receive_from(sock: socket.socket) -> Any:
    """Receive one value from a blocking socket; raises EOFError when the other side is gone."""

    def receive(count: int) -> bytearray:
        data = bytearray(count)
        rest = memoryview(data)
        while rest:
            received = sock.recv_into(rest)
            if not received:
                raise EOFError("the other side closed the channel")
            rest = rest[received:]
        return data

    return read_frame(receive)


def _check_sizes(header_bytes: int, body_bytes: int) -> None:
    if header_bytes > MAX_HEADER_BYTES or body_bytes > MAX_BODY_BYTES:
        raise WireError(f"a frame of {header_bytes} + {body_bytes} bytes is over the limit")


def _pack(value: Any, buffers: list[bytes | memoryview], described: list[list[Any]], depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise WireError("nested too deeply")
    kind = type(value)
    if value is None or kind in (bool, float, str) or (kind is int and -MAX_INT <= value < MAX_INT):
        return value
    if kind is list:
        return [_pack(item, buffers, described, depth + 1) for item in value]
    if kind is tuple:
        return {"t": [_pack(item, buffers, described, depth + 1) for item in value]}
    if kind is dict:
        if not all(type(key) is str for key in value):
            raise WireError("only str keys cross the wire")
        return {"d": [[key, _pack(item, buffers, described, depth + 1)] for key, item in value.items()]}
    if isinstance(value, Message):
        return {"m": [kind.__name__, *(_pack(item, buffers, described, depth + 1) for item in value.values())]}
    if kind is bytes:
        buffers.append(value)
        described.append(["bytes", [len(value)]])
        return {"b": len(buffers) - 1}
    if isinstance(value, torch.Tensor):
        buffers.append(_tensor_bytes(value))
        described.append([DTYPE_NAMES[value.dtype], list(value.shape)])
        return {"x": len(buffers) - 1}
    raise WireError(f"this {kind.__name__} does not cross the wire")


def _tensor_bytes(tensor: torch.Tensor) -> bytes | memoryview:
    if tensor.dtype not in DTYPE_NAMES or tensor.layout is not torch.strided or tensor.dim() > MAX_DIMENSIONS:
        raise WireError(f"a tensor of {tensor.dtype} ({tensor.layout}) does not cross the wire")
    if tensor.is_meta:
        raise WireError("a tensor without data does not cross the wire")
    if tensor.numel() * tensor.element_size() > MAX_BODY_BYTES:  # an expanded one would be written out at full size
        raise WireError("a tensor is over the limit of a frame")
    _count(list(tensor.shape))
    flat = tensor.detach().cpu().resolve_neg().reshape(-1)
    if tensor.dtype is torch.bfloat16:  # numpy has none; the bits are what crosses
        flat = flat.clone(memory_format=torch.contiguous_format).view(torch.int16)
    array = flat.numpy()
    return array.data.cast("B") if array.nbytes >= LARGE_BYTES else array.tobytes()


def _buffers(described: list[Any], body: bytes | bytearray) -> list[torch.Tensor | bytes | None]:
    """Cut the body into buffers; together they must fill it exactly."""
    view = memoryview(body)
    found: list[torch.Tensor | bytes | None] = []
    offset = 0
    for name, shape in described:
        count = _count(shape)
        size = count if name == "bytes" else count * DTYPES[name].itemsize
        if offset + size > len(body):
            raise WireError("a buffer reaches past the end of its frame")
        raw = view[offset : offset + size]
        found.append(bytes(raw) if name == "bytes" else _tensor(_own(raw, offset), DTYPES[name], shape))
        offset += size
    if offset != len(body):
        raise WireError("a frame holds bytes that no buffer claims")
    return found


def _count(shape: Any) -> int:
    """Return the number of elements.

    Bounds the product of the lengths above zero too: torch multiplies it out, and who walks through the rows of a
    tensor walks through millions that took no bytes.
    """
    if not isinstance(shape, list) or len(shape) > MAX_DIMENSIONS:
        raise WireError("a shape is a list of at most 8 lengths")
    product = 1
    for length in shape:
        if type(length) is not int or not 0 <= length <= MAX_BODY_BYTES:
            raise WireError("a length in a shape is out of range")
        product *= max(length, 1)
    if product > (MAX_EMPTY if 0 in shape else MAX_BODY_BYTES):
        raise WireError("a shape is over the limit of a frame")
    return 0 if 0 in shape else product


def _own(raw: memoryview, offset: int) -> bytearray | memoryview:
    """Return memory that a tensor can lie in: of a large one its part of the frame, which no other buffer claims."""
    shared = raw.nbytes >= LARGE_BYTES and offset % WORD_BYTES == 0 and not raw.readonly
    return raw if shared else bytearray(raw)


def _tensor(raw: bytearray | memoryview, dtype: torch.dtype, shape: list[int]) -> torch.Tensor:
    if not len(raw):
        return torch.empty(shape, dtype=dtype)
    if dtype is torch.bool:  # a byte other than 0 and 1 would be undefined behaviour inside torch
        return torch.frombuffer(raw, dtype=torch.uint8).reshape(shape) != 0
    return torch.frombuffer(raw, dtype=dtype).reshape(shape)


def _unpack(tree: Any, buffers: list[torch.Tensor | bytes | None], depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise WireError("nested too deeply")
    if isinstance(tree, list):
        return [_unpack(item, buffers, depth + 1) for item in tree]
    if not isinstance(tree, dict):
        return _plain(tree)
    ((tag, content),) = tree.items()
    if tag == "b":
        return _take(content, buffers, bytes)
    if tag == "x":
        return _take(content, buffers, torch.Tensor)
    if not isinstance(content, list):
        raise WireError("a tag without its content")
    return _tagged(tag, content, buffers, depth + 1)


def _tagged(tag: str, content: list[Any], buffers: list[torch.Tensor | bytes | None], depth: int) -> Any:
    if tag == "t":
        return tuple(_unpack(item, buffers, depth) for item in content)
    if tag == "m":
        return Message.known[content[0]].read([_unpack(item, buffers, depth) for item in content[1:]])
    if tag == "d":
        if not all(isinstance(pair, list) and len(pair) == 2 and type(pair[0]) is str for pair in content):
            raise WireError("a dict has pairs of a str and a value")
        return {key: _unpack(item, buffers, depth) for key, item in content}
    raise WireError("unknown tag in a frame")


def _plain(value: Any) -> Any:
    if type(value) is int and not -MAX_INT <= value < MAX_INT:
        raise WireError("an integer needs more than 64 bits")
    return value


def _take(index: Any, buffers: list[torch.Tensor | bytes | None], kind: type[Kept]) -> Kept:
    """Return a buffer and forget it: named twice, a small frame would become a large value."""
    found = buffers[index] if type(index) is int and 0 <= index < len(buffers) else None
    if not isinstance(found, kind):
        raise WireError("a value names a buffer that is not there")
    buffers[index] = None
    return found
