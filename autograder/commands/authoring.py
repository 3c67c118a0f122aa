"""`autograder release`, `lesson`, `validate` and `calibrate`: what an assignment is made with, and proved."""

import argparse

from autograder.commands.common import Commands, add_command, assignment_of


def add(commands: Commands) -> None:
    """Add the commands."""
    command = add_command(commands, release)
    command.add_argument("--check", action="store_true", help="write nothing; fail if release/ is out of date")
    add_command(commands, lesson)
    command = add_command(commands, validate)
    command.add_argument(
        "--only",
        metavar="TASK",
        action="append",
        default=[],
        help="mark only this task's recorded answers, the reference and the blank release (repeatable)",
    )
    add_command(commands, calibrate)


def release(options: argparse.Namespace) -> int:
    """Build release/ from source/, and prove that nothing hidden is in it."""
    from autograder.release.build import release_command

    return release_command(assignment_of(options), options.check)


def lesson(options: argparse.Namespace) -> int:
    """Build only the lesson's page."""
    from autograder.release.build import lesson_command

    return lesson_command(assignment_of(options))


def validate(options: argparse.Namespace) -> int:
    """Check the assignment itself: right answers keep all points, wrong ones lose only their own."""
    from autograder.assignment import load
    from autograder.grading.validate import validate_command

    return validate_command(load(assignment_of(options)), options.only)


def calibrate(options: argparse.Namespace) -> int:
    """Measure the thresholds of sample quality again and write them."""
    from autograder.assignment import assignment_module, load
    from autograder.errors import UsageError

    assignment = load(assignment_of(options))
    module = assignment_module(assignment.name, "calibrate")
    if module is None:
        raise UsageError(f"the assignment {assignment.name} has nothing to calibrate")
    return int(module.calibrate_command(assignment))
