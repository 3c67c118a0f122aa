"""Messages that cross the wire: what each of their fields may hold is checked where they are read.

A field says so in its annotation, `seconds: Annotated[float, number]`. Only exact types count, for a subclass may lie,
and every length is looked at before what has it. This file is mounted into the box.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Annotated, Any, ClassVar, Self, dataclass_transform, get_type_hints

from torch import Tensor

MANY = 10_000  # items of a list or a dict
LARGEST = 2**31  # number of a line or a cell, or of rows
WORD = 40  # letters of a name that is printed
Holds = Callable[[Any], bool]


class WireError(Exception):
    """The bytes are no frame of ours, or a value cannot be sent."""


class Malformed(WireError):
    """A message holds what may not stand there."""


@dataclass_transform(frozen_default=True)
class Message:
    """A value with named fields, a frozen dataclass. It crosses as the name of its class and what its fields hold."""

    known: ClassVar[dict[str, type[Message]]] = {}
    checks: ClassVar[tuple[tuple[str, Holds], ...]]  # each field's name, with what its values must pass
    __dataclass_fields__: ClassVar[dict[str, Any]]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        Message.known[cls.__name__] = dataclass(frozen=True)(cls)
        hints = get_type_hints(cls, include_extras=True)
        cls.checks = tuple((field.name, hints[field.name].__metadata__[0]) for field in fields(cls))

    @classmethod
    def read(cls, values: list[Any]) -> Self:
        """Return the message with these values, which may be anything; raises Malformed."""
        if len(values) != len(cls.checks):
            raise Malformed(f"{cls.__name__} has {len(cls.checks)} fields")
        for (name, holds), value in zip(cls.checks, values, strict=True):
            if not holds(value):
                raise Malformed(f"{cls.__name__}.{name} may not hold that")
        return cls(*values)

    def values(self) -> list[Any]:
        """Return what the fields hold, in order."""
        return [getattr(self, name) for name, _ in self.checks]


def one_of(*kinds: type) -> Holds:
    """Allow values of exactly these types."""
    allowed = frozenset(kinds)
    return lambda value: type(value) in allowed


def either(*checks: Holds) -> Holds:
    """Allow what one of these allows."""
    return lambda value: any(holds(value) for holds in checks)


def text(most: int) -> Holds:
    """Allow text of at most so many characters."""
    return lambda value: type(value) is str and len(value) <= most


def whole(least: int, most: int) -> Holds:
    """Allow whole numbers in a range."""
    return lambda value: type(value) is int and least <= value <= most


def each(holds: Holds, most: int = MANY, kind: type = list) -> Holds:
    """Allow lists, or tuples, of at most so many such items."""
    of_kind = one_of(kind)
    return lambda value: of_kind(value) and len(value) <= most and all(map(holds, value))


def by_name(holds: Holds, most: int = MANY) -> Holds:
    """Allow dicts of at most so many such items; that their keys are text is the wire's own rule."""
    return lambda value: type(value) is dict and len(value) <= most and all(map(holds, value.values()))


flag = one_of(bool)
position = either(one_of(type(None)), whole(0, LARGEST))
number = one_of(int, float)
tensor = one_of(Tensor)
_atom = one_of(type(None), bool, int, float, str, Tensor)


def plain(value: Any) -> bool:
    """Allow what a function may take or return, and no message in it."""
    if type(value) in (list, tuple):
        return all(map(plain, value))
    return all(map(plain, value.values())) if type(value) is dict else _atom(value)


def message(value: Any) -> bool:
    """Allow messages."""
    return isinstance(value, Message)


def word(value: Any) -> bool:
    """Allow what `word_of` returns."""
    return type(value) is str and 0 < len(value) <= WORD and word_of(value) == value


def word_of(value: str) -> str:
    """Return a name without what a page or a terminal could take for more than that."""
    return "".join(letter for letter in value[:WORD] if letter.isalnum() or letter in "_.") or "unknown"


Name = Annotated[str, text(200)]
Names = Annotated[list[str], each(text(4096))]
Flag = Annotated[bool, flag]
Any64 = Annotated[int, whole(-(2**63), 2**63 - 1)]
Count = Annotated[int, whole(0, LARGEST)]
Position = Annotated[int | None, position]
Plain = Annotated[Any, plain]
