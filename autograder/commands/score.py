"""`autograder score`: one notebook."""

import argparse
from dataclasses import fields
from pathlib import Path

from autograder.commands.common import Commands, add_command, add_isolation, assignment_of, marking_of, not_empty

_FORMS = {
    "json": "JSON",
    "junit": "JUnit XML",
    "html": "a web page",
    "markdown": "Markdown, for a CI job's summary",
    "gradescope": "Gradescope's results.json",
}


def add(commands: Commands) -> None:
    """Add the command."""
    command = add_command(commands, score)
    command.add_argument("notebook", metavar="NOTEBOOK", type=Path, help="the notebook to mark")
    command.add_argument(
        "--student",
        metavar="ID",
        type=not_empty,
        help="whose it is (default: the student's folder in nbgrader's layout, else the file's name)",
    )
    for form, what in _FORMS.items():
        command.add_argument(f"--{form}", metavar="F", type=Path, help=f"write the report as {what} (- for stdout)")
    command.add_argument(
        "--explain", action="store_true", help="for staff: also print the checks, limits, versions and seeds"
    )
    command.add_argument("--fail-under", metavar="PERCENT", type=_percent, help="exit with 1 if the score is lower")
    add_isolation(command)


def score(options: argparse.Namespace) -> int:
    """Mark one notebook."""
    from autograder.grading.score import ScoreJob, score_notebook

    job = ScoreJob(**{field.name: getattr(options, field.name) for field in fields(ScoreJob)})
    return score_notebook(job, marking_of(options, assignment_of(options, options.notebook)))


def _percent(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number") from None
    if not 0 <= value <= 100:
        raise argparse.ArgumentTypeError(f"'{text}' is not between 0 and 100")
    return value
