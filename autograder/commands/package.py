"""`autograder package`: what others install."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autograder.commands.elsewhere import add_to

if TYPE_CHECKING:
    from autograder.commands.common import Commands


def add(commands: Commands) -> None:
    """Add the command, with one of its own for each package."""
    what = "put together what others install"
    command = commands.add_parser("package", help=what, description=f"{what.capitalize()}.")
    packages = command.add_subparsers(metavar="WHAT", required=True)
    add_to(packages)
