"""Walks a JSON text without building what it walks over.

A parser makes up to thirty bytes of objects from one byte of text, and saved outputs can be most of a notebook. So
values are skipped by looking for brackets and quotes alone, and only the strings that are wanted are parsed.
Depth, time and memory are bounded whatever the bytes are.
"""

import json
import re
from collections.abc import Iterator

MAX_DEPTH = 100  # nbformat needs 6, rich outputs some 30; far below Python's recursion limit
MAX_STEPS = 1_500_000  # brackets and strings passed over, in three walks together: two seconds
MAX_KEY_BYTES = 100  # a longer key is none that we look for

Span = tuple[int, int]

SPACE = re.compile(rb"[ \t\r\n]*")
SCALAR = re.compile(rb'[^ \t\r\n,:"\[\]{}]+')
BETWEEN = re.compile(rb'[^"\[\]{}]*')
# At most 1,000 escapes a match: the engine remembers each, and a hostile string has millions.
IN_STRING = re.compile(rb'[^"\\]*(?:\\.[^"\\]*){0,1000}', re.DOTALL)
CLOSING = {ord("{"): ord("}"), ord("["): ord("]")}


class Malformed(Exception):
    """The text is not the JSON that was expected; `at` is the byte where that shows."""

    def __init__(self, at: int, what: str) -> None:
        super().__init__(what)
        self.at = at


class CutShort(Malformed):
    """The text ends too early."""


class TooMuch(Malformed):
    """The text is well-formed as far as it was walked, and holds too much."""


class Scanner:
    """A walk over one JSON text, `data`, in UTF-8. A span is the (start, end) of a value in it."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._steps = 0

    def kind(self, span: Span) -> str:
        """Return the value's first character: { [ " or that of a number or word."""
        return chr(self.data[span[0]])

    def whole(self) -> Span:
        """Return the one value that the text holds; anything behind it is an error."""
        span = self._value(0)
        rest = self._space(span[1])
        if rest < len(self.data):
            raise Malformed(rest, "there is text behind the notebook's closing bracket")
        return span

    def items(self, span: Span) -> Iterator[Span]:
        """Yield the values of an array."""
        at = self._space(span[0] + 1)
        while self._sign(at) != "]":
            value = self._value(at)
            yield value
            at = self._separated(value[1], "]")

    def members(self, span: Span | None, *keys: str) -> dict[str, Span]:
        """Return the values of the wanted keys that an object has; nothing where `span` is no object.

        Of equal keys the last one wins, as in Python's parser.
        """
        if span is None or self.kind(span) != "{":
            return {}
        return {key: value for key, value in self._pairs(span) if key in keys}

    def text(self, span: Span) -> str:
        """Return the string, or the strings of an array joined, that a span holds."""
        start, end = span
        try:
            # Not strict: a raw NUL or tab inside a string is the student's cell's matter, not the file's.
            value = json.loads(self.data[start:end].decode(), strict=False)
        except UnicodeDecodeError as error:
            raise Malformed(start + error.start, "the text is not valid UTF-8") from None
        except ValueError as error:
            raise Malformed(start + getattr(error, "pos", 0), "the JSON is not well-formed") from None
        parts = value if isinstance(value, list) else [value]
        if not all(isinstance(part, str) for part in parts):
            raise Malformed(start, "expected a string or a list of strings")
        # A lone half of a surrogate pair cannot be encoded, so it could be neither compiled nor reported.
        return "".join(parts).encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    def _pairs(self, span: Span) -> Iterator[tuple[str, Span]]:
        at = self._space(span[0] + 1)
        while self._sign(at) != "}":
            if self._sign(at) != '"':
                raise Malformed(at, 'expected a key in double quotes or a "}"')
            key = (at, self._string(at))
            at = self._space(key[1])
            if self._sign(at) != ":":
                raise Malformed(at, 'expected a ":"')
            value = self._value(at + 1)
            yield self._key(key), value
            at = self._separated(value[1], "}")

    def _key(self, span: Span) -> str:
        start, end = span
        if end - start > MAX_KEY_BYTES:
            return ""
        letters = self.data[start + 1 : end - 1]
        # Nearly all are plain; the parser takes ten times as long.
        return letters.decode() if letters.isascii() and b"\\" not in letters else self.text(span)

    def _sign(self, at: int) -> str:
        if at >= len(self.data):
            raise CutShort(at, "the file ends too early")
        return chr(self.data[at])

    def _match(self, pattern: re.Pattern[bytes], at: int) -> int:
        match = pattern.match(self.data, at)
        return match.end() if match else at

    def _space(self, at: int) -> int:
        return self._match(SPACE, at)

    def _step(self, at: int) -> None:
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise TooMuch(at, f"it holds more than {MAX_STEPS // 3:,} values")

    def _separated(self, at: int, closing: str) -> int:
        """Return where the next member begins, or the closing bracket stands."""
        at = self._space(at)
        sign = self._sign(at)
        if sign == closing:
            return at
        if sign != ",":
            raise Malformed(at, f'expected a "," or a "{closing}"')
        at = self._space(at + 1)
        if self._sign(at) == closing:
            raise Malformed(at, 'expected a value behind the ","')
        return at

    def _value(self, at: int) -> Span:
        start = self._space(at)
        sign = self._sign(start)
        if sign == '"':
            return start, self._string(start)
        if sign in "{[":
            return start, self._container(start)
        end = self._match(SCALAR, start)
        if end == start:
            raise Malformed(start, "expected a value")
        return start, end

    def _string(self, at: int) -> int:
        self._step(at)
        at += 1
        while True:
            at = self._match(IN_STRING, at)
            if at >= len(self.data) or (self.data[at : at + 1] == b"\\" and at + 1 >= len(self.data)):
                raise CutShort(len(self.data), "the file ends inside a text")
            if self.data[at] == ord('"'):
                return at + 1

    def _container(self, at: int) -> int:
        expected = bytearray()
        while True:
            sign = self._sign(at)
            if sign == '"':
                at = self._string(at)
            else:
                self._step(at)
                if sign in "{[":
                    expected.append(CLOSING[ord(sign)])
                elif expected.pop() != ord(sign):
                    raise Malformed(at, f'the bracket "{sign}" closes nothing')
                at += 1
            if not expected:
                return at
            if len(expected) > MAX_DEPTH:
                raise Malformed(at, f"its brackets are nested more than {MAX_DEPTH} deep")
            at = self._match(BETWEEN, at)
