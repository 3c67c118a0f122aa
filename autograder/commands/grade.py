"""`autograder grade` and `compare`: a class, and what has become of its marks."""

from __future__ import annotations

import argparse
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.commands.common import Commands, add_command, add_isolation, assignment_of, marking_of, not_empty

if TYPE_CHECKING:
    from autograder.assignment import Assignment
    from autograder.nbgrader_host.gradebook import Gradebook


def add(commands: Commands) -> None:
    """Add the command."""
    command = add_command(commands, grade)
    command.add_argument(
        "folder",
        metavar="DIR",
        nargs="?",
        type=Path,
        help="the submissions, as `STUDENT/NAME/*.ipynb`, `STUDENT/*.ipynb` or `STUDENT.ipynb`, or a "
        "download from Canvas or Moodle, as a folder or a zip (default: submitted)",
    )
    command.add_argument("--out", metavar="DIR", type=Path, help="the results folder (default: results/NAME)")
    command.add_argument(
        "--workers", metavar="N", type=_count, help="how many submissions at a time (default: one per core)"
    )
    command.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="mark on the workers of a Dask scheduler; `local` starts workers on this machine",
    )
    command.add_argument(
        "--roster", metavar="FILE", type=Path, help="a CSV file of everybody who should hand in, with a column `id`"
    )
    command.add_argument(
        "--only",
        metavar="TASK",
        action="append",
        default=[],
        help="re-mark this task and the tasks that depend on it, and keep the rest of each report (repeatable)",
    )
    command.add_argument("--force", action="store_true", help="re-mark submissions that are already marked")
    command.add_argument(
        "--gradebook",
        metavar="URL",
        type=not_empty,
        help="nbgrader's gradebook, as a database URL, or `none` (default: the course's own)",
    )
    command.add_argument("--verbose", action="store_true", help="print a line per submission as it is marked")
    add_isolation(command)

    command = add_command(commands, compare, of_assignment=False)
    command.add_argument("old", metavar="OLD", type=Path, help="a results folder, or a copy of one")
    command.add_argument("new", metavar="NEW", type=Path, help="the results folder to compare with it")


def grade(options: argparse.Namespace) -> int:
    """Mark a class; a run that was interrupted resumes."""
    from autograder.grading.grade_class import ClassJob, grade_class

    folders = assignment_of(options, options.folder)
    marking = marking_of(options, folders)
    out = options.out or folders.results
    if options.out is None:
        _mention_old_results(out)
    job = ClassJob(
        folder=options.folder or folders.course / "submitted",
        out=out,
        workers=options.workers,
        force=options.force,
        only=options.only,
        open_gradebook=partial(_open_gradebook, marking.assignment, options.gradebook, out),
        scheduler=options.scheduler,
        roster=options.roster,
        verbose=options.verbose,
    )
    return grade_class(job, marking)


def _mention_old_results(results: Path) -> None:
    """Say where the reports of the version before are, which kept them one folder higher: nothing of them is lost."""
    from autograder.intake.class_folder import LOCK

    old = results.parent
    if (old / LOCK).exists() and not results.exists():
        print(
            f"{old} holds reports of an earlier version; they stay as they are, and the class is marked again into "
            f"{results}. To continue in the old folder, give --out {old}."
        )


def compare(options: argparse.Namespace) -> int:
    """Show whose marks changed between two results folders, by how much and why."""
    from autograder.grading.compare import compare_command

    return compare_command(options.old, options.new)


def _open_gradebook(assignment: Assignment, url: str | None, out: Path) -> AbstractContextManager[Gradebook | None]:
    if url == "none":
        return nullcontext()
    from autograder.nbgrader_host.gradebook import (
        open_gradebook,  # and with it nbgrader, once all else is known to be right
    )

    return open_gradebook(assignment, url, out)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of workers, 1 or more")
    return int(text)
