"""The command `autograder`: the commands of `autograder.commands`, their exit codes, and no trace-back for a person."""

from __future__ import annotations

import argparse
import gc
import sys
import traceback
from collections.abc import Sequence

from autograder import __version__
from autograder.assignment import NAME
from autograder.commands import calibrate, decisions, doctor, grade, package, publish, release, report, score, validate
from autograder.errors import AutograderError, DiskFull

INTERRUPTED = 130
_GROUPS = (
    release,
    score,
    grade,
    report,
    decisions,
    publish,
    package,
    validate,
    calibrate,
    doctor,
)
DESCRIPTION = f"Marks the {NAME} assignment."
EXIT_CODES = """\
exit codes:
  0    graded, whatever the score
  1    below --fail-under, or `release --check` or `validate` found a fault
  2    wrong usage
  3    the submission cannot be read as this assignment's notebook; reports are written
  4    a fault of the grader itself, never of the submission
  5    the isolation that was asked for is not to be had here
  130  interrupted"""


def command() -> int:
    """Be the installed command: `main`, and then an end without a last look for garbage, which torch would prolong."""
    code = main()
    gc.freeze()
    return code


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
        if error.exit_code == AutograderError.exit_code and not isinstance(error, DiskFull):
            _tell_staff(options.debug)
        return error.exit_code
    except Exception as error:
        _tell_of_fault(error, options.debug)
        return AutograderError.exit_code


def _tell_of_fault(error: Exception, debug: bool) -> None:
    from autograder.system.files import MAKE_ROOM, is_full

    if is_full(error):
        _say(MAKE_ROOM)
    else:
        _say(f"a fault of the grader itself ({type(error).__name__})")
        _tell_staff(debug)


def _tell_staff(debug: bool) -> None:
    if debug:
        traceback.print_exc()
        return
    from autograder.system.files import keep_for_staff

    try:
        _say(f"the trace-back is in {keep_for_staff(traceback.format_exc())}")
    except OSError as error:
        _say(f"its trace-back could not be kept ({error.strerror}); --debug shows it")


def _say(text: str) -> None:
    """Print a sentence to stderr; a file's name in it may be a student's."""
    from autograder.render.wording import clean, for_log

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
    for group in _GROUPS:
        group.add(commands)
    return parser
