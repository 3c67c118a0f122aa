"""Canvas's export of its gradebook: who is in it, which of its columns is ours, and the file that Canvas takes back."""

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from autograder.errors import UsageError
from autograder.system.files import read_text
from autograder.text import no_formula

BOM = "\ufeff"
NAMES = (("Student",), ("LastName", "FirstName"))
_POINTS, _READ_ONLY, _SKIPPED = "points possible", "(read only)", ("muted", "manual posting")
# Canvas's own sums, which are no assignments, also with "Unposted" in front.
_SUMS = re.compile(r"(?:Unposted )?(?:Current|Final|Override) (?:Score|Points|Grade)", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?%?|-|")


class Export:
    """Canvas's gradebook as it was exported: header, the rows above the students, the students."""

    def __init__(self, path: Path) -> None:
        """Read the file; raises UsageError for one that Canvas would not take either."""
        text = read_text(path, "Canvas's export is, so export it again")
        self.bom = path.read_bytes().startswith(codecs.BOM_UTF8)
        self.line_end = "\r\n" if "\r\n" in text else "\n"
        head = "".join(text.splitlines(keepends=True)[:3])
        self.delimiter = max(",;\t", key=head.count)
        try:
            self.rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=self.delimiter, strict=True))
        except csv.Error as error:
            raise UsageError(f"{path} cannot be read as CSV: {error}") from None
        self.header = [cell.strip() for cell in self.rows[0]] if self.rows else []
        self._check(path)

    @property
    def identity(self) -> range:
        """The columns that say who it is; the last of them is the section."""
        return range(next(place for place, cell in enumerate(self.header) if "Section" in cell) + 1)

    def students(self) -> Iterator[list[str]]:
        """Yield the rows of students, to be changed in place."""
        for row in self.rows[1:]:
            first = row[0].strip().casefold() if row else ""
            special = _POINTS in first or any(any(word in cell.casefold() for word in _SKIPPED) for cell in row)
            if any(cell.strip() for cell in row) and not special:
                row += [""] * (len(self.header) - len(row))
                yield row

    def points_row(self) -> list[str]:
        """Return the row of the points possible; empty where the export has none."""
        return next((row for row in self.rows[1:] if row and _POINTS in row[0].casefold()), [])

    def assignments(self) -> dict[int, str]:
        """Return the columns that take marks, with their titles: no sum, nothing that Canvas only shows."""
        points = self.points_row()
        return {
            place: title
            for place, title in enumerate(self.header)
            if place not in self.identity
            and not _SUMS.search(title)
            and not (place < len(points) and _READ_ONLY in points[place].casefold())
        }

    def value(self, row: list[str], name: str) -> str:
        """Return a student's cell in the column of that name."""
        return row[self.header.index(name)].strip() if name in self.header else ""

    def names(self, row: list[str]) -> set[str]:
        """Return the student's name as Canvas sorts it and as it is said."""
        if NAMES[1][0] in self.header:
            last, first = (self.value(row, name) for name in NAMES[1])
        else:
            student = self.value(row, self.header[0])
            last, _, first = (part.strip() for part in student.partition(","))
            if not first:
                return {student}
        return {f"{last}, {first}", f"{first} {last}"}

    def text(self, columns: Iterable[int]) -> str:
        """Return these columns as a file for Canvas; what a spreadsheet would take for a formula gets a quote (')."""
        file = io.StringIO(newline="")
        table = csv.writer(file, delimiter=self.delimiter, lineterminator=self.line_end)
        chosen = list(columns)
        for line, row in enumerate(self.rows):
            if any(row):
                cells = [(place, row[place] if place < len(row) else "") for place in chosen]
                table.writerow(cell if line == 0 else self._harmless(place, cell) for place, cell in cells)
        return (BOM if self.bom else "") + file.getvalue()

    def _harmless(self, place: int, cell: str) -> str:
        is_mark = place not in self.identity and _NUMBER.fullmatch(cell)
        return cell if is_mark else no_formula(cell)

    def _check(self, path: Path) -> None:
        head = self.header
        named = head[:3] == [*NAMES[1], "ID"] or (len(head) > 1 and "Student" in head[0] and "ID" in head[1])
        if not named or not any("Section" in cell for cell in head):
            raise UsageError(
                f"{path} is no export of Canvas's gradebook: its first row must begin with Student,ID and have a "
                "column Section; in Canvas: Gradebook, Export"
            )
