"""`autograder package`: what others install."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.commands.common import add_command, course_of
from autograder.commands.elsewhere import add_to

if TYPE_CHECKING:
    from autograder.commands.common import Commands


def add(commands: Commands) -> None:
    """Add the command, with one of its own for each package."""
    what = "put together what others install"
    command = commands.add_parser("package", help=what, description=f"{what.capitalize()}.")
    packages = command.add_subparsers(metavar="WHAT", required=True)
    add_to(packages)
    one = add_command(packages, student, "for students, a wheel: the release, its visible checks, the command `check`")
    one.add_argument("--out", metavar="DIR", type=Path, help="where it goes (default: dist in the course folder)")


def student(options: argparse.Namespace) -> int:
    """Build the package with which students check their notebook."""
    from autograder.platforms.student.build import build_student_package

    course = course_of(options)
    wheel = build_student_package(course, options.out or course / "dist")
    print(f"{wheel}: for students, to `pip install` and then `check NOTEBOOK`")
    return 0
