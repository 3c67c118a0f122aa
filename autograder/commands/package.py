"""`autograder package`: what others install, what is marked or checked on their machines."""

import argparse
from pathlib import Path

from autograder.commands.common import Commands, add_command, assignment_of, course_of


def add(commands: Commands) -> None:
    """Add the command, with one of its own for each package."""
    what = "build a package to give out"
    command = commands.add_parser("package", help=what, description=f"{what.capitalize()}.")
    packages = command.add_subparsers(metavar="WHAT", required=True)
    one = add_command(packages, student)
    one.add_argument(
        "--out", metavar="DIR", type=Path, help="the folder to write it to (default: dist in the course folder)"
    )
    command = add_command(packages, gradescope)
    command.add_argument(
        "--out", metavar="F", type=Path, help="the zip to write (default: dist/gradescope.zip in the course folder)"
    )
    command.add_argument(
        "--visibility",
        choices=("visible", "after_due_date", "after_published"),
        default="visible",
        help="when students see their checks and points (default: visible)",
    )
    command.add_argument(
        "--isolation",
        choices=("best", "namespaces", "process"),
        default="best",
        help="`best` uses namespaces if Gradescope's container allows them, else `process` (default: best)",
    )
    command.add_argument("--torch-index", metavar="URL", default="", help="a package index with the CPU build of torch")
    one = add_command(packages, course, of_assignment=False)
    one.add_argument("folder", metavar="DIR", type=Path, help="a new folder")
    one = add_command(packages, repository)
    one.add_argument("folder", metavar="DIR", type=Path, help="a new folder")


def student(options: argparse.Namespace) -> int:
    """Build the wheel with which students check their notebook before they submit it."""
    from autograder.platforms.student.build import build_student_package

    assignment = assignment_of(options)
    wheel = build_student_package(assignment, options.out or assignment.course / "dist")
    print(f"{wheel}: for students, to `pip install` and then `check NOTEBOOK`")
    return 0


def course(options: argparse.Namespace) -> int:
    """Write the private repository in which a course marks, with its CI workflows."""
    from autograder.platforms.repositories import write_course_repository

    print(f"{write_course_repository(course_of(options), options.folder)}: private; its README.md says what is in it")
    return 0


def repository(options: argparse.Namespace) -> int:
    """Write the repository that each student gets, with only the visible checks."""
    from autograder.platforms.repositories import write_student_repository

    print(f"{write_student_repository(assignment_of(options), options.folder)}: for students, nothing hidden in it")
    return 0


def gradescope(options: argparse.Namespace) -> int:
    """Build the zip with which Gradescope marks as `score` does."""
    from autograder.assignment import load
    from autograder.platforms.gradescope.build import GradescopeSettings, build_gradescope_zip

    assignment = load(assignment_of(options))
    settings = GradescopeSettings(options.visibility, options.isolation, options.torch_index)
    path = build_gradescope_zip(assignment, options.out or assignment.course / "dist" / "gradescope.zip", settings)
    print(f"{path}: upload it to Gradescope as the autograder, and choose a container of 3 GB or more")
    return 0
