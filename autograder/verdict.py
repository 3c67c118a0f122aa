"""What can come of a check, and the exceptions by which a check says so.

A check passes by returning. It fails by raising `CheckFailed`, whose text is written for the student:
one or two sentences, no hidden input, no line of the reference.
"""

import enum
from dataclasses import dataclass
from fractions import Fraction

NOTHING = Fraction(0)


class Status(enum.Enum):
    """The verdict on one check, from harmless to severe. The values stand in the JSON report."""

    PASSED = "passed"
    WRONG = "wrong"
    CONTRACT = "contract"  # type, shape, dtype, NaN, an argument changed
    NOT_ATTEMPTED = "not_attempted"
    SYNTAX = "syntax"
    RUNTIME = "runtime"  # the student's code raised
    TIMEOUT = "timeout"
    MEMORY = "memory"
    OUTPUT = "output"
    RESOURCE = "resource"  # processes, files, disk
    CRASH = "crash"  # the process ended
    BLOCKED = "blocked"  # the sandbox refused something
    GRADER_ERROR = "grader_error"  # our fault: points withheld, never lost


class CheckFailed(Exception):
    """A check did not hold.

    `status` is never PASSED; `misconception` names a known mistake, or is None; `earned` is the part of the check's
    points, from 0 to 1, that is given all the same.
    """

    def __init__(
        self, status: Status, message: str, misconception: str | None = None, earned: Fraction = NOTHING
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.misconception = misconception
        self.earned = earned


def wrong(message: str, misconception: str | None = None) -> CheckFailed:
    """Return the failure of a value: `raise wrong("...")`."""
    return CheckFailed(Status.WRONG, message, misconception)


def contract(message: str, misconception: str | None = None) -> CheckFailed:
    """Return the failure of a form (type, shape, dtype, NaN, changed argument)."""
    return CheckFailed(Status.CONTRACT, message, misconception)


@dataclass(frozen=True)
class Notice:
    """Something odd that cost no points."""

    code: str
    message: str
    cell: str = ""  # the grade_id, or "cell 7" where it has none
