"""How a report's parts are worded, in every form."""

from autograder.report import CheckResult, Notice, TaskResult
from autograder.text import WORDS, clean, number, one_line
from autograder.verdict import Status

SIGNS = {"held": "✓", "lost": "✗", "part": "◐", "open": "○"}  # for what `kind` returns
NOTICES_SHOWN = 40  # a notebook with a thousand odd cells must not make a report without end


def statement(title: str) -> str:
    """Return a check's title, a sentence that holds or not, so that the verdict can follow after a colon."""
    return one_line(title).rstrip(".")


def note(notice: Notice) -> str:
    """Return a notice with the cell that it is about, unless its message names the cell."""
    named = not notice.cell or notice.cell in notice.message
    return clean(notice.message if named else f"cell {one_line(notice.cell)}: {notice.message}")


def is_repeat(task: TaskResult, check: CheckResult) -> bool:
    """Return whether the message right above, of the check that was lost before it, is the very same."""
    earlier = task.checks[: task.checks.index(check)]
    told = [other for other in earlier if other.message or other.status is not Status.PASSED]
    return bool(check.message and told) and told[-1].status is not Status.PASSED and told[-1].message == check.message


def kind(check: CheckResult) -> str:
    """Return held, part, lost or open: what is shown by a sign and a colour, and always in a word too."""
    if check.status is Status.PASSED:
        return "held" if check.earned == 1 else "part"
    if check.status in (Status.NOT_ATTEMPTED, Status.GRADER_ERROR):
        return "open"
    return "lost"


def verdict(check: CheckResult) -> str:
    """Return the verdict on a check in words."""
    return "holds in part" if kind(check) == "part" else WORDS[check.status]


def points(task: TaskResult, check: CheckResult) -> str:
    """Return what a check earned of its points."""
    available = float(task.points * check.share)
    return f"{number(available * float(check.earned))} / {number(available)}"
