"""`autograder validate`, `calibrate` and `doctor`: commands about the course itself and the machine."""

from __future__ import annotations

import argparse
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.commands.common import add_command, course_of
from autograder.errors import UsageError

if TYPE_CHECKING:
    from autograder.commands.common import Commands


def add(commands: Commands) -> None:
    """Add the commands."""
    command = add_command(
        commands, validate, "check the assignment itself: right answers keep all points, wrong ones lose only their own"
    )
    command.add_argument(
        "--only",
        metavar="TASK",
        action="append",
        default=[],
        help="mark the recorded answers to this task alone, beside the reference and the blank release; may be given "
        "repeatedly",
    )
    add_command(commands, calibrate, "measure the thresholds of sample quality again and write them")
    add_command(
        commands, doctor, "show this machine's isolation, versions and limits, and how to install what is missing"
    )


def validate(options: argparse.Namespace) -> int:
    """Mark the reference, the blank release and the recorded answers."""
    from autograder.grading.validate import Validating, validate_command

    return validate_command(course_of(options), Validating(only=options.only))


def calibrate(options: argparse.Namespace) -> int:
    """Measure the assignment's thresholds."""
    from autograder.assignment import NAME

    module = import_module(f"autograder.assignments.{NAME.replace('-', '_')}.training.calibrate")
    return int(module.calibrate_command(course_of(options)))


def doctor(options: argparse.Namespace) -> int:
    """Test this machine; it need not have a course."""
    from autograder.commands.doctor import doctor_command

    return doctor_command(_course_or_none(options))


def _course_or_none(options: argparse.Namespace) -> Path | None:
    try:
        return course_of(options)
    except UsageError:
        if options.course is not None:
            raise
        return None
