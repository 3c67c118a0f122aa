"""The cells of a notebook file, of any nbformat; saved outputs and attachments are passed over unread."""

from collections.abc import Iterator
from dataclasses import dataclass

from autograder.intake.json_scanner import Malformed, Scanner, Span

MAX_CELLS = 2_000  # the assignment has some fifty
MAX_CODE_BYTES = 4 * 1024 * 1024  # all code cells together; a long answer has 4 KiB


@dataclass(frozen=True)
class RawCell:
    """A cell as it was handed in; `number` counts from 1 as a person would."""

    number: int
    is_code: bool
    grade_id: str  # "" if none
    source: str  # "" unless code, or text was asked for


def cells_of(data: bytes, text: bool = False) -> list[RawCell]:
    """Return the cells of a notebook; with `text` what stands in cells that are no code, too.

    nbformat 2 and 3 keep them in worksheets and call the source of code `input`; whatever the file says its version
    is, the cells are taken where they are. Raises Malformed, or its CutShort.
    """
    scanner = Scanner(data)
    cells: list[RawCell] = []
    code_bytes = 0
    for number, span in enumerate(_cell_spans(scanner), 1):
        if number > MAX_CELLS:
            raise Malformed(span[0], f"it has more than {MAX_CELLS:,} cells")
        cell, size = _cell(scanner, number, span, text)
        code_bytes += size
        if code_bytes > MAX_CODE_BYTES:
            raise Malformed(span[0], f"its code cells hold more than {MAX_CODE_BYTES // 2**20} MiB of text")
        cells.append(cell)
    return cells


def _cell_spans(scanner: Scanner) -> Iterator[Span]:
    top = scanner.members(scanner.whole(), "cells", "worksheets")
    cells, worksheets = top.get("cells"), top.get("worksheets")
    if cells is None and worksheets is None:
        raise Malformed(0, "it is JSON without a list of cells")
    for sheet in [] if worksheets is None else _list(scanner, worksheets, "'worksheets'"):
        inner = scanner.members(sheet, "cells").get("cells")
        if inner is not None:
            yield from _list(scanner, inner, "a worksheet's 'cells'")
    if cells is not None:
        yield from _list(scanner, cells, "'cells'")


def _list(scanner: Scanner, span: Span, what: str) -> Iterator[Span]:
    if scanner.kind(span) != "[":
        raise Malformed(span[0], f"{what} should be a list")
    return scanner.items(span)


def _cell(scanner: Scanner, number: int, span: Span, text: bool) -> tuple[RawCell, int]:
    """Return the cell, and how many bytes of the file its source takes."""
    if scanner.kind(span) != "{":
        raise Malformed(span[0], f"cell {number} should be an object")
    members = scanner.members(span, "cell_type", "metadata", "source", "input")
    nbgrader = scanner.members(members.get("metadata"), "nbgrader").get("nbgrader")
    grade_id = _string(scanner, scanner.members(nbgrader, "grade_id").get("grade_id"))
    is_code = _string(scanner, members.get("cell_type")) == "code"
    source = members.get("source", members.get("input"))
    if not (is_code or text) or source is None:
        return RawCell(number, is_code, grade_id, ""), 0
    size = source[1] - source[0]
    if size > MAX_CODE_BYTES:
        return RawCell(number, is_code, grade_id, ""), size
    try:
        return RawCell(number, is_code, grade_id, scanner.text(source)), size
    except Malformed as error:
        raise Malformed(error.at, f"in the source of cell {number}, {error}") from None


def _string(scanner: Scanner, span: Span | None) -> str:
    """Return a short string of the file's bookkeeping; anything else counts as missing."""
    if span is None or scanner.kind(span) != '"' or span[1] - span[0] > 1000:
        return ""
    return scanner.text(span)
