"""`autograder score`: one notebook, its report in every form that was asked for."""

import errno
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from autograder.errors import UsageError
from autograder.grading.job import Marking, mark_alone
from autograder.grading.overrides import load_overrides
from autograder.intake.class_folder import Handin, student_of
from autograder.render.gradescope import to_gradescope
from autograder.render.html import to_html
from autograder.render.junit import to_junit
from autograder.render.markdown import to_markdown
from autograder.render.terminal import console, forget_stdout, report_table
from autograder.report import GRADER_ERROR, UNREADABLE, Report, json_text
from autograder.system.files import keep_for_staff, refuse_to_replace, write_atomically

STDOUT = Path("-")


@dataclass(frozen=True)
class ScoreJob:
    """What `autograder score` was asked to do; a path is where that form of the report goes, `-` for stdout."""

    notebook: Path
    student: str | None = None
    json: Path | None = None
    junit: Path | None = None
    html: Path | None = None
    markdown: Path | None = None
    gradescope: Path | None = None
    explain: bool = False  # for staff: how the mark came about
    fail_under: float | None = None  # percent of max_score; the bonus does not count

    @property
    def outputs(self) -> dict[Path, Callable[[Report], bytes | str]]:
        """Which form goes where; raises UsageError when two go to one place."""
        forms: list[tuple[Path | None, Callable[[Report], bytes | str]]] = [
            (self.json, Report.to_json),
            (self.junit, to_junit),
            (self.html, to_html),
            (self.markdown, to_markdown),
            (self.gradescope, lambda report: json_text(to_gradescope(report))),
        ]
        named = [(path, form) for path, form in forms if path is not None]
        for path, _ in named:
            if sum(os.path.realpath(path) == os.path.realpath(other) for other, _ in named) > 1:
                raise UsageError(f"two reports cannot both be written to {path}; name a file for each")
        return dict(named)


def score_notebook(job: ScoreJob, marking: Marking) -> int:
    """Mark one notebook, write its reports, show the table, and return the exit code of CONTRACT.md.

    A notebook that cannot be read has its reports too. Raises UsageError before anything is marked when the
    notebook is not there or a report cannot be written where it should go; IsolationMissing.
    """
    outputs = job.outputs
    _check(job.notebook, outputs)
    handin = Handin(job.student or student_of(job.notebook, marking.assignment.name), job.notebook)
    report = load_overrides(marking.assignment).apply(mark_alone(handin, marking))
    for path, form in outputs.items():
        _write(path, form(report))
    screen = console(to_stderr=STDOUT in outputs)
    screen.print(report_table(report))
    if job.explain:
        from autograder.render.staff import explained

        for part in explained(report, marking.assignment, marking.settings):
            screen.print(part)
    return _exit_code(report, job.fail_under)


def _check(notebook: Path, outputs: dict[Path, Callable[[Report], bytes | str]]) -> None:
    if notebook.is_dir():
        raise UsageError(f"{notebook} is a folder; name the notebook in it, or mark a class with `autograder grade`")
    if not os.path.lexists(notebook):
        raise UsageError(f"there is no file {notebook}")
    for path in outputs:
        if path != STDOUT and not path.parent.is_dir():
            raise UsageError(f"{path} cannot be written: {os.strerror(errno.ENOENT)}: {path.parent}")
        if path != STDOUT and path.is_dir():
            raise UsageError(f"{path} cannot be written: it is a folder")
        if path != STDOUT:
            refuse_to_replace(path, [notebook], "the submission itself")


def _write(path: Path, content: bytes | str) -> None:
    if path != STDOUT:
        write_atomically(path, content)
        return
    try:
        sys.stdout.buffer.write(content.encode("utf-8") if isinstance(content, str) else content)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        forget_stdout()


def _exit_code(report: Report, fail_under: float | None) -> int:
    if report.status == GRADER_ERROR:
        kept = keep_for_staff(json_text({"student": report.student, "staff": report.staff}))
        console(to_stderr=True).print(f"autograder: the grader itself failed; why is in {kept}", soft_wrap=True)
        return 4
    if report.status == UNREADABLE:
        return 3
    if fail_under is not None and 100 * (report.score or 0.0) < fail_under * report.max_score:
        return 1
    return 0
