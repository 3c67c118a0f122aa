"""The command `autograder`: the commands of `autograder.commands`, their exit codes, and no traceback for a person."""

import argparse
import gc
import sys
import traceback
from collections.abc import Sequence

from autograder import __version__
from autograder.commands import authoring, decisions, doctor, grade, package, publish, report, score
from autograder.errors import AutograderError, DiskFull

INTERRUPTED = 130
_GROUPS = (authoring, score, grade, report, decisions, publish, package, doctor)
DESCRIPTION = "Marks notebook assignments: each submission runs in a sandbox, and the marks go to nbgrader's gradebook."
EXIT_CODES = {
    0: "marked, whatever the score; any other command did its work",
    1: "the score is below `--fail-under`, or `release --check` or `validate` found a fault",
    2: "wrong usage",
    3: "the submission cannot be read as this assignment's notebook; its report is written",
    4: "a fault in the grader itself, never in the submission",
    5: "the requested isolation is unavailable on this machine",
    INTERRUPTED: "interrupted; the same command resumes",
}


def command() -> int:
    """Be the installed command: `main`, and then an end without a last look for garbage, which torch would prolong."""
    code = main()
    gc.freeze()
    return code


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; a person reads a sentence, not a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal may not know every letter of a name
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except KeyboardInterrupt:
        _say("interrupted; the results so far are kept, and the same command resumes")
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
        _say(f"a fault in the grader itself ({type(error).__name__})")
        _tell_staff(debug)


def _tell_staff(debug: bool) -> None:
    if debug:
        traceback.print_exc()
        return
    from autograder.system.files import keep_for_staff

    try:
        _say(f"the traceback is in {keep_for_staff(traceback.format_exc())}")
    except OSError as error:
        _say(f"the traceback could not be kept ({error.strerror}); --debug shows it")


def _say(text: str) -> None:
    """Print a sentence to stderr; a file's name in it may be a student's."""
    from autograder.text import clean, for_log

    print(for_log(clean(f"autograder: {text}", 4000)), file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="autograder",
        description=DESCRIPTION,
        epilog="\n".join(["exit codes:", *(f"  {code:<4} {what}" for code, what in EXIT_CODES.items())]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"autograder {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for group in _GROUPS:
        group.add(commands)
    return parser
