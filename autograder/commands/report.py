"""`autograder report`: the page of a class again, from what is stored."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.commands.common import Commands, add_command, assignment_of, course_of, marking_of
from autograder.errors import UsageError

if TYPE_CHECKING:
    from autograder.grading.job import Marking


def add(commands: Commands) -> None:
    """Add the command."""
    command = add_command(commands, report)
    command.add_argument(
        "folder",
        metavar="DIR",
        nargs="?",
        type=Path,
        help="the results folder (default: results/NAME in the course folder)",
    )
    command.add_argument("--out", metavar="F", type=Path, help="the page to write (default: DIR/index.html)")
    command.add_argument(
        "--anonymous",
        action="store_true",
        help="leave out the names and everything made from them (default page: DIR/anonymous.html)",
    )
    command.set_defaults(isolation="namespaces")  # of each report its own counts


def report(options: argparse.Namespace) -> int:
    """Write the class report again, from stored results."""
    from autograder.grading.class_report import write_class_report
    from autograder.render.terminal import console
    from autograder.text import how_many

    folder = options.folder or assignment_of(options).results
    page, found = write_class_report(folder, _marking(options, folder), options.out, options.anonymous)
    if found.stale:
        console().print(f"{found.stale} of {len(found.rows)} reports were marked in another way than now.")
    if found.broken:
        files = how_many(found.broken, "file")
        left_out = f"Left out: {files} in {folder} that cannot be read; the next `autograder grade` marks anew."
        console().print(left_out, soft_wrap=True)
    console().print(f"The class: {page}", soft_wrap=True)
    return 0


def _marking(options: argparse.Namespace, folder: Path) -> Marking | None:
    """Return how the course marks now; None where there is no course, as where only results are kept."""
    try:
        course_of(options, folder)
    except UsageError:
        return None
    return marking_of(options, assignment_of(options, folder))
