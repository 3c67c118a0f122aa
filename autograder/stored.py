"""Reports as `autograder grade` stored them, read again: OUT/NAME.json, and what staff alone may read of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autograder.errors import UsageError
from autograder.report import Report
from autograder.students import STAFF, file_name

FOR_STAFF = ("staff", "evidence")  # fields of Report that stand in OUT/staff/NAME.json
GRADES = "grades.csv"
A_STORED_FILE = "part of the stored results"


def read_report(out: Path, student: str) -> Report | None:
    """Return a student's stored report, with what is for staff; None where there is none, or none that is whole."""
    return _read(out, file_name(student))


def read_reports(out: Path) -> Iterator[Report]:
    """Yield the stored reports of a class in the order of their files, one in memory at a time.

    Raises UsageError where there is no such folder.
    """
    for name in sorted(report_names(out)):
        report = _read(out, name)
        if report is not None:
            yield report


def report_names(out: Path) -> set[str]:
    """Return the names of the stored reports' files, without their suffix; raises UsageError for no folder."""
    if not out.is_dir():
        raise UsageError(f"{out} is no folder of results; `autograder grade` makes one")
    return {path.stem for path in out.glob("*.json")}


def stored_files(out: Path) -> Iterator[Path]:
    """Yield the files of a folder of results that nothing but a grading may replace."""
    yield from out.glob("*.json")
    yield from (out / STAFF).glob("*.json")
    yield out / GRADES


def read_named(out: Path, name: str) -> Report | None:
    """Return the report in a file of this name; None where it is not whole."""
    return _read(out, name)


def record_named(out: Path, name: str) -> dict[str, Any]:
    """Return what OUT/staff holds beside the report of this name; {} where that cannot be read."""
    return _read_json(out / STAFF / f"{name}.json")


def read_record(out: Path, student: str) -> dict[str, Any]:
    """Return what OUT/staff holds on a student; {} where that cannot be read."""
    return record_named(out, file_name(student))


def _read(out: Path, name: str) -> Report | None:
    try:
        text = (out / f"{name}.json").read_bytes()
        value = json.loads(text)
        record = _read_json(out / STAFF / f"{name}.json")
        # Of another report, written before or after this one, it would tell what is not so.
        fits = record.get("report_sha256") == hashlib.sha256(text).hexdigest()
        known = {field: record[field] for field in FOR_STAFF if field in record} if fits else {}
        return Report.from_dict(value, **known)
    except (OSError, ValueError):
        return None


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
