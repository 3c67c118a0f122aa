"""`autograder publish` and `canvas`: stored marks, told to a CI system or entered where others keep theirs."""

from __future__ import annotations

import argparse
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.commands.common import add_command

if TYPE_CHECKING:
    from autograder.commands.common import Commands


def add(commands: Commands) -> None:
    """Add the commands."""
    command = add_command(commands, publish, "tell a CI system what is stored; needs nothing but Python")
    command.add_argument("form", choices=("github", "classroom", "junit", "prairielearn"), help="for whom")
    command.add_argument("path", metavar="PATH", type=Path, help="a folder of results, or the JSON report of a student")
    command.add_argument(
        "--out",
        metavar="F",
        type=Path,
        help="the file to write (default: GITHUB_STEP_SUMMARY for github, GITHUB_OUTPUT for classroom, else stdout)",
    )
    command = add_command(commands, canvas, "enter the marks of a class in Canvas's own export of its gradebook")
    command.add_argument("export", metavar="EXPORT", type=Path, help="the CSV file that Canvas exports")
    command.add_argument(
        "results", metavar="RESULTS", type=Path, nargs="?", default=Path("results"), help="(default: results)"
    )
    command.add_argument("--out", metavar="F", type=Path, help="the file for Canvas (default: RESULTS/canvas.csv)")
    command.add_argument("--column", metavar="TITLE", help="the assignment in Canvas (default: the one of our name)")
    command.add_argument("--scale", action="store_true", help="convert to the points that Canvas has for it")
    command.add_argument(
        "--all-columns", action="store_true", help="keep the other assignments' marks too, as old as the export is"
    )


def publish(options: argparse.Namespace) -> int:
    """Publish stored reports."""
    from autograder.platforms.publish import PublishJob, publish_command

    return publish_command(PublishJob(options.form, options.path, options.out))


def canvas(options: argparse.Namespace) -> int:
    """Fill Canvas's export."""
    from autograder.platforms.canvas import CanvasJob, canvas_command
    from autograder.text import for_log

    job = CanvasJob(**{field.name: getattr(options, field.name) for field in fields(CanvasJob)})
    for line in canvas_command(job):
        print(for_log(line))
    return 0
