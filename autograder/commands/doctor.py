"""`autograder doctor`: what isolation, versions and limits this machine gives."""

import argparse

from autograder.commands.common import Commands, add_command, course_of
from autograder.errors import UsageError


def add(commands: Commands) -> None:
    """Add the command."""
    add_command(commands, doctor, of_assignment=False)


def doctor(options: argparse.Namespace) -> int:
    """Show this machine's isolation, versions and limits, and how to install what is missing."""
    from autograder.commands.diagnosis import doctor_command

    try:
        course = course_of(options)
    except UsageError:
        if options.course is not None:
            raise
        return doctor_command(None)  # with the default limits
    return doctor_command(course)
