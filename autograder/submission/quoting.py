"""Text from a submission, made safe to stand in our own sentences."""

from __future__ import annotations

import unicodedata

from autograder.plain import UNSAFE


def cleaned(text: str, limit: int = 80) -> str:
    """Return the text on one line, at most `limit` characters, without anything invisible."""
    head = text[: limit + 1]
    safe = "".join("\ufffd" if unicodedata.category(sign) in UNSAFE else sign for sign in head)
    return safe if len(safe) <= limit else safe[: limit - 1] + "…"


def quoted(text: str, limit: int = 80) -> str:
    """Return the cleaned text in quotes."""
    return f"'{cleaned(text, limit)}'"


def listed(names: list[str], limit: int = 5) -> str:
    """Return the first few names quoted and joined by commas, and how many more there are."""
    shown = ", ".join(quoted(name, 40) for name in names[:limit])
    rest = len(names) - limit
    return f"{shown} and {rest} more" if rest > 0 else shown
