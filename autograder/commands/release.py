"""`autograder release` and `autograder lesson`: what students get."""

from __future__ import annotations

import argparse

from autograder.commands.common import Commands, add_command, assignment_of


def add(commands: Commands) -> None:
    """Add the commands."""
    command = add_command(commands, release, "build release/ from source/, and prove that nothing hidden is in it")
    command.add_argument("--check", action="store_true", help="write nothing; fail if release/ is out of date")
    add_command(commands, lesson, "build only the lesson's page")


def release(options: argparse.Namespace) -> int:
    """Build or check what students get."""
    from autograder.release.build import release_command

    return release_command(assignment_of(options), options.check)


def lesson(options: argparse.Namespace) -> int:
    """Build the lesson's page."""
    from autograder.release.build import lesson_command

    return lesson_command(assignment_of(options))
