"""`autograder validate`, `calibrate` and `doctor`: commands that take nothing but the course."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.commands.common import add_command, course_of
from autograder.errors import UsageError

if TYPE_CHECKING:
    from autograder.commands.common import Commands

_WHAT = {
    "validate": "let the assignment prove itself: what is right passes, what is wrong loses its own points",
    "calibrate": "measure the thresholds of the sample quality again",
    "doctor": "say what isolation, versions and limits this machine gives",
}


def add(commands: Commands) -> None:
    """Add the commands whose modules are there."""
    for name, what in _WHAT.items():
        if find_spec(f"autograder.{name}"):  # what is not there is not offered
            add_command(commands, _on_the_course(name), what)


def _on_the_course(name: str) -> Callable[[argparse.Namespace], int]:
    """Return the command whose module of the same name has one function for it, `NAME_command(course)`."""

    def run(options: argparse.Namespace) -> int:
        module = import_module(f"autograder.{name}")
        return int(getattr(module, f"{name}_command")(_course_for(name, options)))

    run.__name__ = name
    return run


def _course_for(name: str, options: argparse.Namespace) -> Path | None:
    """Return the course folder; None for a doctor who is asked where there is none."""
    try:
        return course_of(options)
    except UsageError:
        if name != "doctor" or options.course is not None:
            raise
        return None
