"""`autograder override` and `extend`: what a person decides about one student."""

import argparse
import re
import sys

from autograder.commands.common import Commands, add_command, assignment_of, not_empty
from autograder.course import AssignmentFolders
from autograder.errors import UsageError

MOST_HOURS = 24 * 3652


def add(commands: Commands) -> None:
    """Add the commands."""
    command = add_command(commands, override)
    command.add_argument("student", metavar="STUDENT", type=not_empty, help="the student's name in the results")
    command.add_argument("task", metavar="TASK", help="the id of a task")
    points = command.add_mutually_exclusive_group(required=True)
    points.add_argument("points", metavar="POINTS", nargs="?", type=float, help="the task's points")
    points.add_argument("--withdraw", action="store_true", help="remove the decision, so that the checks decide again")
    command.add_argument("--reason", metavar="TEXT", required=True, help="the reason, which the student reads")

    command = add_command(commands, extend)
    command.add_argument("student", metavar="STUDENT", type=not_empty, help="the student's name in the results")
    command.add_argument(
        "hours", metavar="TIME", type=_hours, help="time after the due date, such as 2d, 12h or 1d12h; 0h takes it back"
    )
    command.add_argument(
        "--gradebook",
        metavar="URL",
        type=not_empty,
        help="nbgrader's gradebook, as a database URL (default: the course's own)",
    )


def override(options: argparse.Namespace) -> int:
    """Set a task's points by hand, with a reason; every later run keeps them."""
    from autograder.assignment import load
    from autograder.grading.overrides import override_command

    assignment = load(assignment_of(options))
    print(override_command(assignment, options.student, options.task, options.points, options.reason))
    if not _is_known(assignment, options.student):
        _warn(options.student)
    return 0


def extend(options: argparse.Namespace) -> int:
    """Give one student more time before late penalties."""
    from autograder.assignment import load
    from autograder.nbgrader_host.gradebook import extend_command

    assignment = load(assignment_of(options))
    told, is_in_gradebook = extend_command(assignment, options.gradebook, options.student, options.hours)
    print(told)
    if not is_in_gradebook and not _is_known(assignment, options.student):
        _warn(options.student)
    return 0


def _is_known(assignment: AssignmentFolders, student: str) -> bool:
    """Say whether a student has handed in to the course folder, or a report of theirs is stored in it.

    These are `submitted` and `results/NAME`, where `grade` reads and writes unless it is told otherwise.
    """
    from autograder.intake.class_folder import Roll
    from autograder.system.file_names import file_name

    submitted, results = assignment.course / "submitted", assignment.results
    if (results / f"{file_name(student)}.json").is_file():
        return True
    try:
        return student in Roll(submitted, results, assignment.name).students()
    except UsageError:
        return False  # nobody has handed in


def _warn(student: str) -> None:
    """Ask whether a name is right: a slip in it decides about nobody, and nobody would notice."""
    from autograder.text import for_log, one_line

    doubt = f"warning: no hand-in of '{one_line(student)}' is known yet; is the name right?"
    print(for_log(f"autograder: {doubt}"), file=sys.stderr)


def _hours(text: str) -> float:
    found = re.fullmatch(r"(?:(\d+)d)?(?:(\d+)h)?", text)
    if not text or found is None:
        raise argparse.ArgumentTypeError(f"'{text}' is not a time such as 2d, 12h or 1d12h")
    days, hours = (int(part or 0) for part in found.groups())
    if 24 * days + hours > MOST_HOURS:
        raise argparse.ArgumentTypeError(f"'{text}' is more than ten years")
    return 24.0 * days + hours
