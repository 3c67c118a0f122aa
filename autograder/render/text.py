"""How a report's parts are worded, in every form."""

from __future__ import annotations

from autograder.plain import MESSAGE_LENGTH, NAME_LENGTH, WORDS, clean, for_log, number, one_line
from autograder.report import CheckResult, Notice, TaskResult

__all__ = [
    "MESSAGE_LENGTH", "NAME_LENGTH", "NOTICES_SHOWN", "WORDS",
    "clean", "for_log", "is_repeat", "note", "number", "one_line", "statement",
]  # fmt: skip

NOTICES_SHOWN = 40  # a notebook with a thousand odd cells must not make a report without end


def statement(title: str) -> str:
    """Return a check's title, a sentence that holds or not, so that the verdict can follow after a colon."""
    return one_line(title).rstrip(".")


def note(notice: Notice) -> str:
    """Return a notice with the cell that it is about, unless its message names the cell."""
    named = not notice.cell or notice.cell in notice.message
    return clean(notice.message if named else f"cell {one_line(notice.cell)}: {notice.message}")


def is_repeat(task: TaskResult, check: CheckResult) -> bool:
    """Return whether an earlier check of the task was lost with the very same message."""
    earlier = task.checks[: task.checks.index(check)]
    return bool(check.message) and any(other.message == check.message for other in earlier)
