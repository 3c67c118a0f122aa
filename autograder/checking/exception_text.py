"""Says to a student what their code did instead of returning a value.

The text of an exception can hold anything, a check's input included. So numbers with a decimal point are blotted out,
the length is bounded, and nothing of the grader's own frames is shown.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from autograder.box.messages import Failure
from autograder.text import one_line
from autograder.verdict import CheckFailed, Status

MAX_TEXT = 160
MAX_CAUSE = 300  # of what is said of another cell
MAX_LINE = 300  # of a cell, where a name is looked for
# An address too, which is another one each time.
NUMBER = re.compile(r"0[xX][0-9a-fA-F.]+(?:p[-+]?\d+)?|[-+]?\d*\.\d+(?:[eE][-+]?\d+)?|[-+]?\d+\.?[eE][-+]?\d+|\d{6,}")
MISSING_NAME = re.compile(r"name '(\w+)' is not defined")
NO_DEVICE = re.compile(
    r"not compiled with \w+ enabled|no NVIDIA driver|No CUDA GPUs|not linked with support for \w+ devices"
    r"|Cannot get \w+ generator|on a CUDA device but|'(CUDA|MPS|XPU)' backend|without MPS backend"
    r"|accelerator device when|_cuda_setDevice",
    re.IGNORECASE,
)
KINDS = {status.value: status for status in Status if status not in (Status.PASSED, Status.GRADER_ERROR)}


@dataclass(frozen=True)
class Place:
    """How to name a function and cells to the student: `cells` maps a cell's number to its lines."""

    function: str
    cell: int | None = None  # the number of the cell that holds the answer
    cells: dict[int, list[str]] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)  # grade_ids
    elsewhere: frozenset[str] = frozenset()  # names of given cells that are not run while marking
    missing: Mapping[str, str] = field(default_factory=dict)  # by name, how the cell failed that would have bound it
    failed: Mapping[int, CheckFailed] = field(default_factory=dict)  # how cells failed

    @property
    def what(self) -> str:
        """The function and its cell."""
        return f"{self.function} (cell {self.cell})" if self.cell is not None else self.function

    def line(self, cell: int | None, line: int | None) -> str:
        """Return where in the notebook something happened, with the line's own text; empty when unknown."""
        if cell is None or cell not in self.cells:
            return ""
        name = f"cell {cell}" + (f" '{self.names[cell]}'" if self.names.get(cell) else "")
        lines = self.cells[cell]
        if line is None or not 1 <= line <= len(lines):
            return name
        code = one_line(lines[line - 1].strip(), 60)
        return f"{name}, line {line}: {code}" if code else f"{name}, line {line}"


def explain(failure: Failure, place: Place) -> CheckFailed:
    """Return the failed check for an exception that the box described."""
    status = KINDS.get(failure.kind, Status.RUNTIME)
    if NO_DEVICE.search(failure.text):
        status = Status.RUNTIME  # torch raises a NotImplementedError for some
    where = place.line(failure.cell, failure.line)
    at = f" at {where}" if where else ""
    kind = one_line(failure.type, 40)
    text = public_text(failure.text)
    what = f"{kind} ({text})" if text else kind
    match status:
        case Status.NOT_ATTEMPTED:
            message = f"{place.what} is not written yet: it still raises NotImplementedError."
        case Status.SYNTAX:
            message = f"Python cannot read the code{at}: {text or kind}.{_caret(failure, place)}"
        case Status.MEMORY:
            message = f"{place.what} asked for more memory than it may have{at}."
        case Status.RESOURCE:
            message = f"{place.what} used up the processes, files or disk space that it may have{at}: {what}."
        case Status.BLOCKED:
            message = (
                f"{place.what} tried something that is closed while grading (files, network, processes){at}: {what}."
            )
        case Status.TIMEOUT:
            message = f"{place.what} was cut short because it took too long{at}."
        case _:
            message = f"{place.what} raised {what}{at}.{_hint(kind, text, place)}"
            status = Status.RUNTIME
    return CheckFailed(status, message)


def _hint(kind: str, text: str, place: Place) -> str:
    if kind == "NameError":
        missing = MISSING_NAME.search(text)
        why = missing and why_missing(missing[1], place)
        if missing and why:
            return f" {missing[1]} is missing because a cell above failed: {one_line(why, MAX_CAUSE)}"
        if missing and missing[1] in place.elsewhere:
            return (
                f" {missing[1]} comes from a given cell that draws or trains, which is not run while your functions "
                "are marked; use the function's arguments instead."
            )
        return (
            " Does the name exist after Restart and Run All? Only given cells and your own cells are run, from the top."
        )
    if NO_DEVICE.search(text):
        return (
            " The grading machine has no GPU: create tensors on the device of the arguments (x.device), "
            "or let torch choose one."
        )
    if kind in ("SystemExit", "KeyboardInterrupt", "GeneratorExit"):
        return " Let the function return its value instead."
    return ""


def why_missing(name: str, place: Place) -> str:
    """Return how the cell failed that would have bound a name; empty when there is none."""
    if name in place.missing:
        return place.missing[name]
    # Of a cell that is no Python, or was ended, only the text tells.
    binds = re.compile(
        rf"^\s*(?:async\s+def|def|class)\s+{name}\b|^\s*(?:from|import)\s.*\b{name}\b|^[^=]*\b{name}\b[^=(]*=(?!=)"
    )
    for number, failed in place.failed.items():
        if any(binds.search(line[:MAX_LINE]) for line in place.cells.get(number, ())):
            return failed.message
    return place.missing.get("*", "")


def _caret(failure: Failure, place: Place) -> str:
    """Return the column of a syntax error, as a sentence."""
    column = failure.column
    return f" The marked place is column {column}." if column is not None and 0 < column < 1000 else ""


def public_text(text: str) -> str:
    """Return an exception's text without what could be a check's input, in bounded length."""
    return one_line(NUMBER.sub("…", text), MAX_TEXT)
