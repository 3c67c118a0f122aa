"""Messages that cross the wire: what each of their fields may hold is checked where they are read.

A field's annotation is its check: `seconds: float`, `names: Annotated[list[Name], at_most(32)]`. Only exact types
count, for a subclass may lie, and every length is looked at before what has it. `Any` is what a function may take or
return, and no message in it. This file is mounted into the box.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from types import UnionType
from typing import Annotated, Any, ClassVar, Self, Union, dataclass_transform, get_args, get_origin, get_type_hints

from torch import Tensor

MANY = 10_000  # items of a list or a dict, where no other bound is given
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
        cls.checks = tuple((field.name, check_of(hints[field.name])) for field in fields(cls))

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


def check_of(hint: Any, bound: Holds | None = None) -> Holds:
    """Return what a value must pass for an annotation. The types of a dict's keys are the wire's own rule."""
    kind, parts = get_origin(hint) or hint, get_args(hint)
    if kind is Annotated:
        return check_of(*parts)
    if kind in (Union, UnionType):
        several = tuple(map(check_of, parts))
        return lambda value: any(holds(value) for holds in several)
    if kind is Any:
        return plain
    if kind is Message:
        return lambda value: isinstance(value, Message)
    if kind in (list, tuple, dict):
        short, items = bound or at_most(MANY), check_of(parts[kind is dict])
        return lambda value: type(value) is kind and short(value) and all(map(items, _items(value)))
    exact = (int, float) if kind is float else (kind,)
    return lambda value: type(value) in exact and (bound is None or bound(value))


def plain(value: Any) -> bool:
    """Allow what a function may take or return, and no message in it."""
    if type(value) in (list, tuple, dict):
        return all(map(plain, _items(value)))
    return value is None or type(value) in (bool, int, float, str, Tensor)


def _items(value: Any) -> Any:
    return value.values() if type(value) is dict else value


def at_most(most: int) -> Holds:
    """Allow so many letters or items."""
    return lambda value: len(value) <= most


def within(least: int, most: int) -> Holds:
    """Allow numbers in a range."""
    return lambda value: bool(least <= value <= most)


def is_word(value: str) -> bool:
    """Allow what `word_of` returns."""
    return 0 < len(value) <= WORD and word_of(value) == value


def word_of(value: str) -> str:
    """Return a name without what a page or a terminal could take for more than that."""
    return "".join(letter for letter in value[:WORD] if letter.isalnum() or letter in "_.") or "unknown"


Name = Annotated[str, at_most(200)]
Names = list[Annotated[str, at_most(4096)]]
Word = Annotated[str, is_word]
Count = Annotated[int, within(0, LARGEST)]
Position = Count | None
