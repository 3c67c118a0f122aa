"""`autograder.toml` at the course root: limits and the feedback level."""

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path

from autograder.errors import UsageError
from autograder.system.files import read_text

FEEDBACK_LEVELS = ("hint", "example")


@dataclass(frozen=True)
class Settings:
    """Limits of a submission and how much feedback it gets; the defaults suit this assignment."""

    call_seconds: float = 10.0  # a correct call takes milliseconds; an endless loop should end soon
    cell_seconds: float = 20.0  # a cell of the student's own: enough for a plot or a short training
    submission_seconds: float = 120.0  # all of a submission's boxes together
    memory_mib: int = 2048  # torch and the prelude need about 300
    processes: int = 32  # threads count too
    output_kib: int = 64  # of print-outs that are kept for staff
    feedback: str = "hint"  # `example` shows a small concrete case as well


def load_settings(course: Path) -> Settings:
    """Read `autograder.toml` of a course; a missing file means the defaults.

    Raises UsageError for an unknown key, a value of the wrong type, or a limit that is not above zero.
    """
    path = course / "autograder.toml"
    try:
        table = tomllib.loads(read_text(path, missing=""))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path} is not TOML: {error}") from None
    defaults = {field.name: field.default for field in fields(Settings)}
    for key, value in table.items():
        if key not in defaults:
            raise UsageError(f"{path}: unknown key '{key}'; known are {', '.join(sorted(defaults))}")
        _check_value(path, key, value, defaults[key])
    return Settings(**table)


def _check_value(path: Path, key: str, value: object, default: object) -> None:
    if key == "feedback":
        if value not in FEEDBACK_LEVELS:
            raise UsageError(f"{path}: feedback is {value!r}; expected one of {', '.join(FEEDBACK_LEVELS)}")
        return
    allowed = (int, float) if isinstance(default, float) else (int,)
    if isinstance(value, bool) or not isinstance(value, allowed):
        kind = "a number" if isinstance(default, float) else "a whole number"
        raise UsageError(f"{path}: {key} is {value!r}; expected {kind} such as {default}")
    if not 0 < value < 1e9:
        raise UsageError(f"{path}: {key} is {value!r}; expected a number above zero")
