"""Text from a student, made fit to be shown: no control codes, no reversed reading, no end.

A student's name, an exception's text or a cell's name may hold anything; what is shown of it goes through here. Needs
nothing but Python itself, so that the job of a CI that publishes marks need not install what marked them.
"""

import re
import unicodedata

from autograder.verdict import Status

# Control, format (bidi marks among them), surrogate, private, unassigned; line and paragraph ends.
UNSAFE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
MESSAGE_LENGTH = 1500  # three or four sentences and a short trace-back; more is not read
NAME_LENGTH = 200
_SHOWN_AS = "\N{REPLACEMENT CHARACTER}"
_JOINERS = "\u200c\u200d"  # legitimate in Persian and Indic names, and inside emoji
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-_])")
# What a spreadsheet may take for the start of a formula, full-width signs included (OWASP, CSV injection).
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")
_COMMAND = re.compile(r"(:(?=:)|#(?=#))")

WORDS = {
    Status.PASSED: "holds",
    Status.WRONG: "wrong value",
    Status.CONTRACT: "wrong form",
    Status.NOT_ATTEMPTED: "not attempted",
    Status.SYNTAX: "syntax error",
    Status.RUNTIME: "raised an error",
    Status.TIMEOUT: "too slow",
    Status.MEMORY: "too much memory",
    Status.OUTPUT: "too much output",
    Status.RESOURCE: "too many resources",
    Status.CRASH: "crashed",
    Status.BLOCKED: "not allowed here",
    Status.GRADER_ERROR: "could not be checked",
}


def clean(text: str, limit: int = MESSAGE_LENGTH) -> str:
    """Return text of several lines that a terminal, a browser or a log shows as it is, cut at `limit`."""
    # Cut first: a text without end must not cost time without end. Terminal codes are shorter than this margin.
    text = _ANSI.sub("", text[: 4 * limit]).replace("\r\n", "\n").replace("\r", "\n")
    text = "".join(_SHOWN_AS if _is_unfit(char) else char for char in text)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def one_line(text: str, limit: int = NAME_LENGTH) -> str:
    """Return the text as a single line: a name, a title, a cell of a table."""
    return clean(" ".join(text[: 4 * limit].split()), limit)


def for_log(text: str) -> str:
    """Return text that no CI system takes for one of its commands.

    GitHub obeys a line that begins with `::` after any white space, and the older `##[` anywhere in a line;
    Azure obeys `##vso[`. Where a table breaks a line is not ours to say, so the pairs are parted everywhere.
    """
    return _COMMAND.sub(r"\1 ", text)


def no_formula(text: str) -> str:
    """Return text for a cell of a CSV file; what a spreadsheet would take for a formula gets a quote (') in front."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def number(value: float) -> str:
    """Return points as people write them: 87, 12.5, 3.33."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _is_unfit(char: str) -> bool:
    if char in "\n\t" or char in _JOINERS:
        return False
    return unicodedata.category(char) in UNSAFE


def how_many(count: int, thing: str) -> str:
    """Return how many there are: 1 student, 2 students."""
    return f"{count} {thing}{'' if count == 1 else 's'}"


def quoted(text: str, limit: int = 80) -> str:
    """Return the text on one line and in quotes, for a sentence."""
    return f"'{one_line(text, limit)}'"


def listed(names: list[str], limit: int = 5) -> str:
    """Return the first few names quoted and joined by commas, and how many more there are."""
    shown = ", ".join(quoted(name, 40) for name in names[:limit])
    rest = len(names) - limit
    return f"{shown} and {rest} more" if rest > 0 else shown
