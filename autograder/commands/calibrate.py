"""`autograder calibrate`: measures what an assignment's checks compare with."""

from __future__ import annotations

import argparse

from autograder.commands.common import Commands, add_command, assignment_of


def add(commands: Commands) -> None:
    """Add the command."""
    add_command(commands, calibrate, "measure the thresholds of sample quality again and write them")


def calibrate(options: argparse.Namespace) -> int:
    """Run the assignment's own calibration; raises UsageError if it has none."""
    from autograder.assignment import assignment_module, load
    from autograder.errors import UsageError

    assignment = load(assignment_of(options))
    module = assignment_module(assignment.name, "calibrate")
    if module is None:
        raise UsageError(f"the assignment {assignment.name} has nothing to calibrate")
    return int(module.calibrate_command(assignment))
