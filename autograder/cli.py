"""The command `autograder`: one function a command, each calling one function of the package.

Nothing of weight is imported before a command needs it, so that `--help` answers at once.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from autograder import __version__
from autograder.errors import AutograderError, UsageError

if TYPE_CHECKING:
    from autograder.marking import Marking

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

INTERRUPTED = 130
_NBGRADER_FOLDERS = ("source", "release", "submitted")
_ON_THE_COURSE = {
    "validate": "let the assignment prove itself: what is right passes, what is wrong loses its own points",
    "calibrate": "measure the thresholds of the sample quality again",
    "doctor": "say what isolation, versions and limits this machine gives",
}
DESCRIPTION = "Marks the consistency-models assignment."
EXIT_CODES = """\
exit codes:
  0    graded, whatever the score
  1    below --fail-under, or `release --check` or `validate` found a fault
  2    wrong usage
  3    the submission cannot be read as this assignment's notebook; reports are written
  4    a fault of the grader itself, never of the submission
  5    the isolation that was asked for is not to be had here
  130  interrupted"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; a person reads a sentence, not a trace-back."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal may not know every letter of a name
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except KeyboardInterrupt:
        _say("interrupted; what is written stays, and the same command goes on")
        return INTERRUPTED
    except BrokenPipeError:
        from autograder.render.terminal import forget_stdout

        forget_stdout()  # whoever read it has gone (`| head`), which is no fault
        return 0
    except AutograderError as error:
        _say(str(error))
        if error.exit_code == AutograderError.exit_code:
            _tell_staff(options.debug)
        return error.exit_code
    except Exception as error:
        _say(f"a fault of the grader itself ({type(error).__name__})")
        _tell_staff(options.debug)
        return AutograderError.exit_code


def release(options: argparse.Namespace) -> int:
    """Build or check what students get."""
    from autograder.release import release_command

    return release_command(_course(options), options.check)


def score(options: argparse.Namespace) -> int:
    """Score one notebook."""
    from autograder.score import ScoreJob, score_notebook

    job = ScoreJob(**{field.name: getattr(options, field.name) for field in fields(ScoreJob)})
    return score_notebook(job, _marking(options, _course(options, options.notebook)))


def grade(options: argparse.Namespace) -> int:
    """Grade a class."""
    from autograder.batch import ClassJob, grade_class
    from autograder.gradebook import open_gradebook

    course = _course(options, options.folder)
    marking = _marking(options, course)
    out = options.out or course / "results"
    job = ClassJob(
        folder=options.folder or course / "submitted",
        out=out,
        workers=options.workers,
        force=options.force,
        open_gradebook=partial(open_gradebook, marking.assignment, options.gradebook, out),
        scheduler=options.scheduler,
        roster=options.roster,
        verbose=options.verbose,
    )
    return grade_class(job, marking)


def override(options: argparse.Namespace) -> int:
    """Enter a person's decision about a mark."""
    from autograder.assignment import load_assignment
    from autograder.overrides import Appeal, override_command

    appeal = Appeal(options.student, options.task, options.points, options.reason)
    print(override_command(load_assignment(_course(options)), appeal))
    return 0


def extend(options: argparse.Namespace) -> int:
    """Give one student more time."""
    from autograder.assignment import load_assignment
    from autograder.gradebook import extend_command

    assignment = load_assignment(_course(options))
    print(extend_command(assignment, options.gradebook, options.student, options.hours))
    return 0


def _course(options: argparse.Namespace, submission: Path | None = None) -> Path:
    """Return the course folder: --course, else at or above the working folder, else above the submission.

    Above a submission only where it stands in one of nbgrader's folders: a student may hand in an nbgrader_config.py
    and a source/ of their own beside the notebook, and these must never define the assignment.
    """
    from autograder.assignment import find_course

    if options.course is not None:
        return Path(options.course)
    try:
        return find_course(Path.cwd())
    except UsageError:
        above = [submission.absolute(), *submission.absolute().parents] if submission else []
        for folder in reversed(above):  # the outermost: what a student can shape is further in
            if folder.name in _NBGRADER_FOLDERS and (folder.parent / "nbgrader_config.py").is_file():
                return folder.parent
        raise


def _marking(options: argparse.Namespace, course: Path) -> Marking:
    from autograder.assignment import load_assignment
    from autograder.marking import Marking
    from autograder.settings import load_settings

    return Marking(load_assignment(course), load_settings(course), options.isolation)


def _tell_staff(debug: bool) -> None:
    if debug:
        traceback.print_exc()
        return
    from autograder.score import keep_for_staff

    _say(f"the trace-back is in {keep_for_staff(traceback.format_exc())}")


def _say(text: str) -> None:
    """Print a sentence to stderr; a file's name in it may be a student's."""
    from autograder.render.text import clean, for_log

    print(for_log(clean(f"autograder: {text}", 4000)), file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="autograder",
        description=DESCRIPTION,
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"autograder {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_release(commands)
    _add_score(commands)
    _add_grade(commands)
    _add_override(commands)
    _add_extend(commands)
    for name, what in _ON_THE_COURSE.items():
        if find_spec(f"autograder.{name}"):  # what is not there is not offered
            _command(commands, _on_the_course(name), what)
    return parser


def _on_the_course(name: str) -> Callable[[argparse.Namespace], int]:
    """Return the command whose module of the same name has one function for it, `NAME_command(course)`."""

    def run(options: argparse.Namespace) -> int:
        module = import_module(f"autograder.{name}")
        return int(getattr(module, f"{name}_command")(_course(options)))

    run.__name__ = name
    return run


def _add_release(commands: Commands) -> None:
    command = _command(commands, release, "build release/ from source/ and prove it")
    command.add_argument("--check", action="store_true", help="write nothing; fail when release/ is stale")


def _add_score(commands: Commands) -> None:
    command = _command(commands, score, "score one notebook")
    command.add_argument("notebook", metavar="NOTEBOOK", type=Path)
    command.add_argument(
        "--student", metavar="ID", help="who handed it in (default: nbgrader's folder, or the file's name)"
    )
    for form, what in (
        ("json", "JSON"),
        ("junit", "JUnit XML"),
        ("html", "a web page"),
        ("gradescope", "results.json"),
    ):
        command.add_argument(f"--{form}", metavar="F", type=Path, help=f"write the report as {what} (- for stdout)")
    command.add_argument("--explain", action="store_true", help="for staff: checks, limits, versions and seeds as well")
    command.add_argument("--fail-under", metavar="PERCENT", type=_percent, help="exit with 1 below this score")
    _add_isolation(command)


def _add_grade(commands: Commands) -> None:
    command = _command(commands, grade, "score a class; goes on where it stopped")
    command.add_argument(
        "folder",
        metavar="DIR",
        nargs="?",
        type=Path,
        help="holds STUDENT/consistency-models/*.ipynb, STUDENT/*.ipynb or STUDENT.ipynb (default: submitted)",
    )
    command.add_argument("--out", metavar="DIR", type=Path, help="where the reports go (default: results)")
    command.add_argument("--workers", metavar="N", type=_count, help="how many at a time (default: one a core)")
    command.add_argument(
        "--scheduler", metavar="ADDRESS", help="mark on the workers of a Dask scheduler; `local` starts some here"
    )
    command.add_argument(
        "--roster", metavar="FILE", type=Path, help="a CSV file of who should hand in: its column `id`"
    )
    command.add_argument("--force", action="store_true", help="mark again what is already done")
    command.add_argument(
        "--gradebook", metavar="URL", help="nbgrader's gradebook, or none (default: the course's own, by its settings)"
    )
    command.add_argument("--verbose", action="store_true", help="print a line for each submission as it is marked")
    _add_isolation(command)


def _add_override(commands: Commands) -> None:
    command = _command(commands, override, "decide on a mark by hand, with a reason; it survives every re-run")
    command.add_argument("student", metavar="STUDENT")
    command.add_argument("task", metavar="TASK")
    points = command.add_mutually_exclusive_group(required=True)
    points.add_argument("points", metavar="POINTS", nargs="?", type=float)
    points.add_argument("--withdraw", action="store_true", help="let the checks decide again")
    command.add_argument("--reason", metavar="TEXT", required=True, help="why; the student reads it")


def _add_extend(commands: Commands) -> None:
    command = _command(commands, extend, "give one student more time before late penalties")
    command.add_argument("student", metavar="STUDENT")
    command.add_argument(
        "hours", metavar="TIME", type=_hours, help="after the due date, such as 2d, 12h or 1d12h; 0h takes it back"
    )
    command.add_argument("--gradebook", metavar="URL", help="nbgrader's gradebook (default: the course's own)")


def _add_isolation(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--isolation",
        choices=("namespaces", "process"),
        default="namespaces",
        help="process: two processes and limits only, where namespaces are not to be had",
    )


def _command(commands: Commands, run: Callable[[argparse.Namespace], int], what: str) -> argparse.ArgumentParser:
    command = commands.add_parser(run.__name__, help=what, description=f"{what[0].upper()}{what[1:]}.")
    command.set_defaults(run=run)
    command.add_argument(
        "--course", metavar="DIR", type=Path, help="the course folder (default: found upward from here)"
    )
    command.add_argument(
        "--debug",
        action="store_true",
        default=bool(os.environ.get("AUTOGRADER_DEBUG")),
        help="show the trace-back of a fault of the grader (also by AUTOGRADER_DEBUG=1)",
    )
    return command


def _percent(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number") from None
    if not 0 <= value <= 100:
        raise argparse.ArgumentTypeError(f"'{text}' is not between 0 and 100")
    return value


def _hours(text: str) -> float:
    found = re.fullmatch(r"(?:(\d+)d)?(?:(\d+)h)?", text)
    if not text or found is None:
        raise argparse.ArgumentTypeError(f"'{text}' is not a time such as 2d, 12h or 1d12h")
    days, hours = (int(part or 0) for part in found.groups())
    return 24.0 * days + hours


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of workers, 1 or more")
    return int(text)
