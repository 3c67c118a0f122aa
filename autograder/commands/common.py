"""What the commands share: the course, the marking, and the options that more than one of them takes."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from autograder.errors import UsageError

if TYPE_CHECKING:
    from autograder.course import AssignmentFolders
    from autograder.grading.job import Marking

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
_NBGRADER_FOLDERS = ("source", "release", "submitted")


def add_command(
    commands: Commands, run: Callable[[argparse.Namespace], int], of_assignment: bool = True
) -> argparse.ArgumentParser:
    """Add a command with the options of every command; most concern one assignment.

    The function's name is the command's, and its docstring, one sentence, the command's help.
    """
    says = str(run.__doc__)
    command = commands.add_parser(run.__name__, help=f"{says[0].lower()}{says[1:].rstrip('.')}", description=says)
    command.set_defaults(run=run)
    command.add_argument(
        "--course", metavar="DIR", type=Path, help="the course folder (default: the nearest one, from here upward)"
    )
    if of_assignment:
        command.add_argument(
            "--assignment",
            metavar="NAME",
            type=not_empty,
            help="which assignment (default: the one in the path, else the only one)",
        )
    command.add_argument(
        "--debug",
        action="store_true",
        default=bool(os.environ.get("AUTOGRADER_DEBUG")),
        help="show the traceback of a fault in the grader (also: AUTOGRADER_DEBUG=1)",
    )
    return command


def add_isolation(command: argparse.ArgumentParser) -> None:
    """Add --isolation, for the commands that run student code; `marking_of` reads it."""
    command.add_argument(
        "--isolation",
        choices=("namespaces", "process"),
        default="namespaces",
        help="`process` uses two processes and limits only, for machines without namespaces",
    )


def not_empty(text: str) -> str:
    """Return an option's value; an empty one, of a variable that is not set say, must not mean the default."""
    if not text:
        raise argparse.ArgumentTypeError("it is empty")
    return text


def course_of(options: argparse.Namespace, submission: Path | None = None) -> Path:
    """Return the course folder: --course, else at or above the working folder, else above the submission.

    Above a submission only where it stands in one of nbgrader's folders: a student may hand in an nbgrader_config.py
    and a source/ of their own beside the notebook, and these must never define the assignment.
    """
    from autograder.course import find_course

    if options.course is not None:
        if not options.course.is_dir():
            raise UsageError(f"{options.course} is no folder; --course takes the folder of a course")
        return Path(options.course)
    try:
        return find_course(Path.cwd())
    except UsageError:
        above = [submission.absolute(), *submission.absolute().parents] if submission else []
        for folder in reversed(above):  # the outermost: what a student can shape is further in
            if folder.name in _NBGRADER_FOLDERS and (folder.parent / "nbgrader_config.py").is_file():
                return folder.parent
        raise


def assignment_of(options: argparse.Namespace, path: Path | None = None) -> AssignmentFolders:
    """Return the assignment: --assignment, else the one that the path names, else the course's only one."""
    from autograder.course import find_assignment

    return find_assignment(course_of(options, path), options.assignment, path)


def marking_of(options: argparse.Namespace, folders: AssignmentFolders) -> Marking:
    """Return how submissions are marked: the assignment, the course's settings, and --isolation."""
    from autograder.assignment import load
    from autograder.grading.job import Marking
    from autograder.settings import load_settings

    return Marking(load(folders), load_settings(folders.course), options.isolation)
