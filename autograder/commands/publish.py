"""`autograder publish` and `canvas`: stored marks, told to a CI system or entered where others keep theirs."""

import argparse
from dataclasses import fields
from pathlib import Path

from autograder.commands.common import Commands, add_command, assignment_of


def add(commands: Commands) -> None:
    """Add the commands."""
    command = add_command(commands, publish, of_assignment=False)
    command.add_argument("form", choices=("github", "classroom", "junit", "prairielearn"), help="the format")
    command.add_argument("path", metavar="PATH", type=Path, help="a results folder, or one student's JSON report")
    command.add_argument(
        "--out",
        metavar="F",
        type=Path,
        help="the file to write (default: GITHUB_STEP_SUMMARY for github, GITHUB_OUTPUT for classroom, else stdout)",
    )
    command = add_command(commands, canvas)
    command.add_argument("export", metavar="EXPORT", type=Path, help="the CSV file that Canvas exported")
    command.add_argument(
        "results", metavar="RESULTS", type=Path, nargs="?", help="the results folder (default: results/NAME)"
    )
    command.add_argument(
        "--out", metavar="F", type=Path, help="the file to import into Canvas (default: RESULTS/canvas.csv)"
    )
    command.add_argument(
        "--column",
        metavar="TITLE",
        help="the assignment's title in Canvas (default: the column with the assignment's name)",
    )
    command.add_argument(
        "--scale", action="store_true", help="convert the marks to the points that Canvas has for the assignment"
    )
    command.add_argument(
        "--all-columns",
        action="store_true",
        help="also keep the other assignments' marks, which are as old as the export",
    )


def publish(options: argparse.Namespace) -> int:
    """Export saved results for GitHub, GitHub Classroom, JUnit readers or PrairieLearn."""
    from autograder.platforms.publish import PublishJob, publish_command

    return publish_command(PublishJob(options.form, options.path, options.out))


def canvas(options: argparse.Namespace) -> int:
    """Fill in the marks of a class in a gradebook exported from Canvas."""
    from autograder.platforms.canvas import CanvasJob, canvas_command
    from autograder.text import for_log

    if options.results is None:
        options.results = assignment_of(options).results
    job = CanvasJob(**{field.name: getattr(options, field.name) for field in fields(CanvasJob)})
    for line in canvas_command(job):
        print(for_log(line))
    return 0
