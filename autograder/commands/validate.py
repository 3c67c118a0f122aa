"""`autograder validate`: the assignment proves itself."""

from __future__ import annotations

import argparse

from autograder.commands.common import Commands, add_command, assignment_of


def add(commands: Commands) -> None:
    """Add the command."""
    command = add_command(
        commands, validate, "check the assignment itself: right answers keep all points, wrong ones lose only their own"
    )
    command.add_argument(
        "--only",
        metavar="TASK",
        action="append",
        default=[],
        help="mark only this task's recorded answers, the reference and the blank release (repeatable)",
    )


def validate(options: argparse.Namespace) -> int:
    """Mark the reference, the blank release and the recorded answers."""
    from autograder.assignment import load
    from autograder.grading.validate import Validating, validate_command

    return validate_command(load(assignment_of(options)), Validating(only=options.only))
