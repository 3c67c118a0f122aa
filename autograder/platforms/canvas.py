"""`autograder canvas`: the marks of a class in Canvas's own export, so that Canvas takes the file back.

Canvas reads a student's row by `ID`, else `SIS User ID`, else `SIS Login ID`, else the name; our students are whatever
the folders of submissions are called, so each of these is tried. A mark is never guessed: what fits nobody or more than
one is told and left out. Needs nothing but Python.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from autograder.errors import UsageError
from autograder.grading.stored_reports import A_STORED_FILE, StoredClass, stored_files
from autograder.platforms.canvas_export import Export
from autograder.report import Report
from autograder.system.files import refuse_to_replace, write_atomically
from autograder.text import how_many, number, one_line

EXCUSED = "EX"
IDENTITY = ("SIS Login ID", "SIS User ID", "ID", "Integration ID")
_ID = re.compile(r"\s*\(\d+\)$")
FILE = "canvas.csv"


@dataclass(frozen=True)
class CanvasJob:
    """What `autograder canvas` was asked to do."""

    export: Path
    results: Path
    out: Path | None = None  # None: canvas.csv in the folder of results
    column: str | None = None  # the assignment's title in Canvas
    scale: bool = False  # to the points that Canvas has for it
    all_columns: bool = False  # keep the other assignments' marks as they were at the time of the export


@dataclass
class Told:
    """What a person should know of the filling."""

    filled: int = 0
    unmatched: list[str] = field(default_factory=list)  # marked, but not in the export
    ambiguous: list[str] = field(default_factory=list)  # fits several rows, or shares one
    unmarked: list[str] = field(default_factory=list)  # in the export, but no report
    faults: list[str] = field(default_factory=list)  # the grader failed on them: no mark
    excused: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        """Yield the sentences; names are shown fit for a terminal."""
        yield f"{how_many(self.filled, 'mark')} entered"
        for names, what in (
            (self.unmatched, "marked, but not in Canvas's export"),
            (self.ambiguous, "not entered, since the name fits more than one row or shares one with another"),
            (self.unmarked, "in Canvas's export without a report; left as they were"),
            (self.faults, "not marked through a fault of the grader; left as they were"),
            (self.excused, "excused in Canvas; left so"),
        ):
            if names:
                yield f"{len(names)} {what}: {', '.join(one_line(name) for name in sorted(names))}"
        yield from self.notes


def canvas_command(job: CanvasJob) -> Iterator[str]:
    """Write the filled export and yield what to tell; raises UsageError where it cannot be filled."""
    out = job.out or job.results / FILE
    refuse_to_replace(out, [job.export], "Canvas's export itself")
    refuse_to_replace(out, stored_files(job.results), A_STORED_FILE)
    export = Export(job.export)
    told = Told()
    stored = StoredClass(job.results)
    reports = list(stored)
    if not reports:
        raise UsageError(f"{job.results} holds no report; `autograder grade` writes them")
    column = _column(export, job.column, reports[0].assignment)
    factor = _factor(export, column, reports[0].max_score, job.scale, told)
    _fill(export, column, _matched(export, reports, told), factor, told)
    write_atomically(out, export.text(range(len(export.header)) if job.all_columns else [*export.identity, column]))
    yield f"{out}, column '{one_line(export.header[column])}'"
    yield from told.lines()
    if stored.left_over:
        yield f"{how_many(stored.left_over, 'report')} left over from before the last grading; not entered"


def _column(export: Export, wanted: str | None, assignment: str) -> int:
    """Return the assignment's column: by its title, with or without Canvas's number; raises UsageError for none."""
    open_columns = export.assignments()
    if wanted is None:
        found = [place for place, title in open_columns.items() if _words(assignment) in _words(_ID.sub("", title))]
    else:
        found = [place for place, title in open_columns.items() if wanted in (title, _ID.sub("", title))]
    if len(found) != 1:
        titles = ", ".join(f"'{one_line(title)}'" for title in open_columns.values()) or "none"
        which = f"is called '{wanted}'" if wanted is not None else f"has a title that holds '{_words(assignment)}'"
        columns = f"more than one column of the export {which}" if found else f"no column of the export {which}"
        raise UsageError(
            f"{columns}; name one with --column: {titles}. "
            "An assignment must exist in Canvas before the export has a column for it"
        )
    return found[0]


def _factor(export: Export, column: int, most: float, scale: bool, told: Told) -> float:
    """Return by what the marks, out of `most`, are multiplied: 1 unless they are to be scaled to Canvas's points."""
    row = export.points_row()
    text = row[column].strip() if column < len(row) else ""
    try:
        points = float(text)
    except ValueError:
        points = 0.0
    if scale and points <= 0:
        raise UsageError(f"--scale needs Canvas's points for the assignment, and the export says '{text}'")
    if points > 0 and points != most and not scale:
        told.notes.append(
            f"Canvas has {number(points)} points for it, the marks are out of {number(most)}: entered as they are; "
            "--scale converts them"
        )
    return points / most if scale else 1.0


def _matched(export: Export, reports: list[Report], told: Told) -> dict[int, Report]:
    """Return the report for each row by the row's identity; what is not clear is told."""
    rows = list(export.students())
    ways: list[dict[str, set[int]]] = [{}, {}, {}, {}]  # the ids, the ids in any case, the names, the names in any case
    for place, row in enumerate(rows):
        ids = {export.value(row, name) for name in IDENTITY} - {""}
        for way, values in ((0, ids), (2, export.names(row))):
            for value in map(_composed, values):
                ways[way].setdefault(value, set()).add(place)
                ways[way + 1].setdefault(value.casefold(), set()).add(place)
    found: dict[int, list[Report]] = {}
    for report in reports:
        key = _composed(report.student)
        keys = (key, key.casefold()) * 2
        places = next((way[name] for way, name in zip(ways, keys, strict=True) if name in way), set())
        if len(places) == 1:
            (place,) = places
            found.setdefault(place, []).append(report)
        elif places:
            told.ambiguous.append(report.student)
        else:
            told.unmatched.append(report.student)
    for sharing in found.values():
        if len(sharing) > 1:
            told.ambiguous += [report.student for report in sharing]
    return {id(rows[place]): sharing[0] for place, sharing in found.items() if len(sharing) == 1}


def _fill(export: Export, column: int, reports: dict[int, Report], factor: float, told: Told) -> None:
    for row in export.students():
        report = reports.get(id(row))
        if report is None:
            told.unmarked.append(row[0])
        elif row[column].strip().upper() == EXCUSED:
            told.excused.append(report.student)
        elif report.score is None:
            told.faults.append(report.student)
        else:
            # The bonus is extra credit: Canvas takes more than the points possible.
            row[column] = number((report.score + report.bonus) * factor)
            told.filled += 1


def _composed(text: str) -> str:
    """Return what two spellings of a name have in common: letters and their accents may be taken apart."""
    return unicodedata.normalize("NFC", text).strip()


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold().replace("_", " ")))
