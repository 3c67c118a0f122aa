"""Reports as `autograder grade` stored them, read again: OUT/NAME.json, and what staff alone may read of it."""

import csv
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autograder.errors import UsageError
from autograder.intake.class_folder import STAFF
from autograder.report import Report
from autograder.system.file_names import file_name
from autograder.text import no_formula

BESIDE = ("exact", "staff", "figures", "how")  # what OUT/staff/NAME.json tells of a report besides
GRADES = "grades.csv"
A_STORED_FILE = "part of the stored results"


class LastGraded:
    """The class as it was graded last: whom its table names, and when that was written: never, where there is none.

    A folder of results may also hold reports from before, of students whose submission is gone.
    """

    def __init__(self, out: Path) -> None:
        self._out = out
        try:
            with open(out / GRADES, encoding="utf-8", newline="") as file:
                self._students = {row["student"] for row in csv.DictReader(file)}
                self._when = os.fstat(file.fileno()).st_mtime_ns
        except (OSError, KeyError, ValueError, csv.Error):
            self._students, self._when = set(), 0

    def holds(self, report: Report, name: str) -> bool:
        """Say whether the report in the file of this name, without its suffix, is of this class."""
        return no_formula(report.student) in self._students or self._newer(name)

    def _newer(self, name: str) -> bool:
        """Say whether it was written by a grading that has not come to its end."""
        try:
            return (self._out / f"{name}.json").stat().st_mtime_ns > self._when
        except OSError:
            return False


def read_report(out: Path, student: str) -> Report | None:
    """Return a student's stored report, with what is for staff; None where there is none, or none that is whole."""
    return read_named(out, file_name(student))


class StoredClass:
    """The stored reports of the class as it was graded last, in the files of `names`, which may hold others too.

    Iterating yields the class's, one in memory at a time, and counts what else is there. Raises UsageError where there
    is no such folder, or no report in it.
    """

    def __init__(self, out: Path) -> None:
        if not out.is_dir():
            raise UsageError(f"{out} is no folder of results; `autograder grade` makes one")
        self.left_over = self.broken = 0
        self.folder = out
        self.names = {path.stem for path in out.glob("*.json")}
        if not self.names:
            raise UsageError(f"{out} holds no reports; `autograder grade` writes them")
        self._graded = LastGraded(out)

    def __iter__(self) -> Iterator[Report]:
        for name in sorted(self.names):
            report = self.read(name)
            if report is not None:
                yield report
            elif self.is_broken(name):
                self.broken += 1
            else:
                self.left_over += 1

    def read(self, name: str) -> Report | None:
        """Return the report in a file of this name; None where it is not whole, or none of the class's."""
        report = read_named(self.folder, name)
        return report if report is not None and self._graded.holds(report, name) else None

    def is_broken(self, name: str) -> bool:
        """Say whether the file of this name cannot be read."""
        return name in self.names and read_named(self.folder, name) is None


def stored_files(out: Path) -> Iterator[Path]:
    """Yield the files of a folder of results that nothing but a grading may replace."""
    yield from out.glob("*.json")
    yield from (out / STAFF).glob("*.json")
    yield out / GRADES


def read_record(out: Path, student: str) -> dict[str, Any]:
    """Return what OUT/staff holds on a student; {} where that cannot be read."""
    return _read_json(out / STAFF / f"{file_name(student)}.json")


def read_named(out: Path, name: str) -> Report | None:
    """Return the report in a file of this name, with what is for staff; None where it is not whole."""
    try:
        text = (out / f"{name}.json").read_bytes()
        value = json.loads(text)
        record = _read_json(out / STAFF / f"{name}.json")
        # Of another report, written before or after this one, it would tell what is not so.
        fits = record.get("report_sha256") == hashlib.sha256(text).hexdigest()
        known = {field: record[field] for field in BESIDE if field in record} if fits else {}
        return Report.from_dict(value, **known)
    except (OSError, ValueError):
        return None


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
