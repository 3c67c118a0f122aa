"""The command `check`: is this notebook ready to be handed in?"""

import argparse
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

from autograder import __version__
from autograder.errors import Unreadable
from autograder.platforms.student.check.checking import Checking, Finding, State
from autograder.platforms.student.check.plan import RELEASE, Plan, Step, load_release, read_plan
from autograder.text import clean, number, one_line

SECONDS = 20.0  # what marking gives a cell
READY, NOT_READY, USAGE, UNREADABLE, INTERRUPTED = 0, 1, 2, 3, 130
EXIT_CODES = """\
exit codes:
  0    the visible checks hold
  1    something is missing, raises, or does not hold
  2    wrong usage
  3    the file cannot be read as this assignment's notebook
  130  interrupted

Your file is only read. Points are decided by other checks, which are not in this package."""
HIDDEN = "decided by hidden checks, which only the grader runs."
OWN_WORDS = frozenset({"renamed_file"})  # notices for which the file's own line below stands


def main(arguments: Sequence[str] | None = None, release: Path = RELEASE) -> int:
    """Check a notebook, say what was found, and return the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    options = _parser(release.stem).parse_args(arguments)
    if not options.notebook.exists():
        print(f"check: there is no file {one_line(str(options.notebook))}; name the notebook to check", file=sys.stderr)
        return USAGE
    try:
        plan = read_plan(options.notebook, load_release(release))
    except Unreadable as error:
        print(f"This file could not be marked. The grader would say:\n\n{_indented(str(error))}")
        return UNREADABLE
    checking = Checking(plan, options.seconds, _progress if sys.stderr.isatty() else lambda step: None)
    try:
        findings = checking.run()
    except KeyboardInterrupt:
        print("check: interrupted", file=sys.stderr)
        return INTERRUPTED
    finally:
        if sys.stderr.isatty():
            print("\r\x1b[K", end="", file=sys.stderr)
    print("\n".join(_report(plan, findings, checking.notes)))
    return NOT_READY if _open(findings) else READY


def _parser(name: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="check",
        description=f"Says whether your {name} notebook is ready to be handed in.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("notebook", metavar="NOTEBOOK", type=Path)
    parser.add_argument(
        "--seconds", metavar="N", type=_seconds, default=SECONDS, help="how long a cell may run (default: %(default)g)"
    )
    parser.add_argument("--version", action="version", version=f"check {__version__}")
    return parser


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 3600:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of seconds up to 3600")
    return value


def _progress(step: Step) -> None:
    print(f"\r\x1b[K{step.label}", end="", file=sys.stderr, flush=True)


def _open(findings: list[Finding]) -> list[Finding]:
    """Return what stands in the way; a bonus never does."""
    return [finding for finding in findings if finding.state is not State.HOLDS and not finding.task.bonus]


def _report(plan: Plan, findings: list[Finding], notes: list[str]) -> list[str]:
    lines = [f"{plan.submission.file}: {plan.size / 1024:,.0f} KiB, {plan.cells} cells; the grader can read it.", ""]
    for finding in findings:
        points = "bonus" if finding.task.bonus else number(finding.task.points)
        lines.append(f"  {finding.state.value:<13} {points:>5}  {finding.task.id:<30} {finding.task.title}")
        if finding.message:
            lines.append(_indented(finding.message, 23))
    told = [*_file_notes(plan, findings), *notes]
    if told:
        lines += ["", "Also:", *(_indented(note, 4, "  - ") for note in told)]
    return [*lines, "", _conclusion(findings)]


def _conclusion(findings: list[Finding]) -> str:
    counted = [finding for finding in findings if not finding.task.bonus]
    holding = [finding for finding in counted if finding.state is State.HOLDS]
    points, total = (number(sum(finding.task.points for finding in those)) for those in (holding, counted))
    others = f"{points} of {total} points are {HIDDEN}"
    if len(holding) == len(counted):
        return f"The visible checks hold; {others}"
    return (
        f"The visible checks of {len(holding)} of {len(counted)} tasks hold; {others} "
        f"Next: {_open(findings)[0].task.id}."
    )


def _file_notes(plan: Plan, findings: list[Finding]) -> list[str]:
    notes = [notice.message for notice in plan.submission.notices if notice.code not in OWN_WORDS]
    expected = plan.release.file
    if plan.submission.file != expected:
        notes.append(f"The file is called '{plan.submission.file}'; hand it in as '{expected}'.")
    left = [
        f"'{finding.task.id}'"
        for finding in findings
        if finding.state is not State.MISSING and any(_has_todo(plan, cell) for cell in plan.own(finding.task.id))
    ]
    if left:
        notes.append(f"A line that asks for an answer is still in {', '.join(left)}; delete it there.")
    if plan.unwritten_texts:
        notes.append(f"Still to be written, and marked by hand: {', '.join(plan.unwritten_texts)}.")
    if not plan.was_run:
        notes.append("It was saved without having been run. That costs nothing: marking runs it anew.")
    return notes


def _has_todo(plan: Plan, cell: Step) -> bool:
    return any(line.strip() in plan.todo_lines for line in cell.source.splitlines())


def _indented(text: str, width: int = 2, first: str = "") -> str:
    """Return the text, made fit for a terminal, wrapped and indented."""
    lines = [line for line in clean(text).splitlines() if line.strip()]
    margin = " " * width
    wrapped = [textwrap.fill(line, 110, initial_indent=margin, subsequent_indent=margin) for line in lines]
    return first + "\n".join(wrapped)[len(first) :]
