"""`autograder publish`: marks that are stored as JSON, told to a CI system. Needs nothing but Python.

So the job that may write somewhere need not be the one that has run student code: it reads JSON, and whatever is no
report that this version writes is refused as a whole.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.errors import UsageError
from autograder.grading.stored_reports import A_STORED_FILE, LastGraded, stored_files
from autograder.intake.class_folder import LOCK
from autograder.render.github import SUMMARY_BYTES, encoded, to_annotations, to_classroom, to_summary
from autograder.render.junit import to_class_junit, to_junit
from autograder.render.prairielearn import to_prairielearn
from autograder.report import Report, json_text
from autograder.system.files import append, refuse_to_replace, write_atomically
from autograder.text import how_many

REPORT_BYTES = 4 << 20  # ours are some ten thousand bytes
SUMMARY, OUTPUT = "GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"  # files that GitHub reads after a step


@dataclass(frozen=True)
class PublishJob:
    """What `autograder publish` was asked to do."""

    form: str
    path: Path  # a folder of results, or one report
    out: Path | None = None  # where the text goes; None: where the CI system says, else stdout


def publish_command(job: PublishJob) -> int:
    """Publish what is stored; raises UsageError where a file is no report, GraderFault where there is no mark."""
    if job.out is not None:
        refuse_to_replace(job.out, _sources(job.path), A_STORED_FILE)
    FORMS[job.form](read_stored(job.path), job)
    return 0


def read_stored(path: Path) -> list[Report]:
    """Return the report in a file, or those of a folder's class as it was graded last.

    Raises UsageError for a file that is none, and for no file.
    """
    if not path.is_dir():
        return [_read(path)]
    graded = LastGraded(path)
    found = [(_read(file), file.stem) for file in sorted(path.glob("*.json"))]
    reports = [report for report, name in found if graded.holds(report, name)]
    if not reports:
        raise UsageError(f"{path} holds no report; `autograder grade` and `autograder score --json` write them")
    if left := len(found) - len(reports):
        print(f"{how_many(left, 'report')} left over from before the last grading; not published", file=sys.stderr)
    return reports


def _sources(path: Path) -> Iterator[Path]:
    yield path
    folder = path if path.is_dir() else path.parent
    if folder == path or os.path.lexists(folder / LOCK):
        yield from stored_files(folder)


def _read(file: Path) -> Report:
    try:
        with open(file, "rb") as stream:
            text = stream.read(REPORT_BYTES + 1)
        if len(text) > REPORT_BYTES:
            raise ValueError(f"it is larger than {REPORT_BYTES} bytes")
        return Report.from_dict(json.loads(text))
    except FileNotFoundError:
        raise UsageError(f"there is no file or folder {file}; name a folder of results, or one report in it") from None
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {os.strerror(error.errno or 0)}") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{file} is no report of this version of autograder: {error}; mark again") from None


def _only(reports: Sequence[Report], reader: str) -> Report:
    if len(reports) != 1:
        raise UsageError(f"{reader} reads the result of one student: name one report, such as results/ada.json")
    return reports[0]


def _github(reports: Sequence[Report], job: PublishJob) -> None:
    named = os.environ.get(SUMMARY)
    target = job.out or (Path(named) if named else None)
    if target is None:
        sys.stdout.write(to_summary(reports))
        return
    written = target.stat().st_size if job.out is None and target.exists() else 0
    text = to_summary(reports, max(0, SUMMARY_BYTES - written))
    if job.out is not None:
        write_atomically(job.out, text)
    else:
        append(target, text)  # what an earlier part of the step has written stays
    for line in to_annotations(reports):
        print(line)


def _classroom(reports: Sequence[Report], job: PublishJob) -> None:
    payload = encoded(to_classroom(_only(reports, "GitHub Classroom")))
    named = os.environ.get(OUTPUT)
    if job.out is not None:
        write_atomically(job.out, payload + "\n")
    elif named:
        append(Path(named), f"result={payload}\n")
    else:
        print(payload)


def _junit(reports: Sequence[Report], job: PublishJob) -> None:
    _put(to_class_junit(reports) if job.path.is_dir() else to_junit(reports[0]), job)


def _prairielearn(reports: Sequence[Report], job: PublishJob) -> None:
    _put(json_text(to_prairielearn(_only(reports, "PrairieLearn"))).encode(), job)


def _put(document: bytes, job: PublishJob) -> None:
    if job.out is not None:
        write_atomically(job.out, document)
    else:
        sys.stdout.buffer.write(document)


FORMS: dict[str, Callable[[Sequence[Report], PublishJob], None]] = {
    "github": _github,
    "classroom": _classroom,
    "junit": _junit,
    "prairielearn": _prairielearn,
}
