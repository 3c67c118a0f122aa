"""Marks one submission in Gradescope's container: `python -m autograder.platforms.gradescope.run /autograder`.

What it prints is for staff: Gradescope shows a program's output to instructors alone, and results.json says so again.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path

from autograder.assignment import load_assignment
from autograder.errors import IsolationMissing
from autograder.grading.job import Marking, mark_alone
from autograder.intake.class_folder import Handin
from autograder.intake.folder import find_notebook
from autograder.render.gradescope import to_gradescope
from autograder.render.terminal import console, report_table
from autograder.report import GRADER_ERROR, json_text
from autograder.settings import load_settings
from autograder.system.files import write_atomically
from autograder.text import clean

CGROUP_MEMORY = Path("/sys/fs/cgroup/memory.max")
MIB = 1 << 20
OURS_MIB = 1024  # judge and keeper, each with torch


def main(root: Path) -> int:
    """Mark what lies in `root`/submission and write `root`/results/results.json; returns 4 for a fault of ours."""
    settings = json.loads((root / "source" / "settings.json").read_text(encoding="utf-8"))
    course = root / "source" / "course"
    assignment = load_assignment(course)
    notebook, notices = find_notebook(root / "submission", assignment.name)
    handin = Handin(student_of(root / "submission_metadata.json"), notebook, notices)
    best = settings["isolation"] == "best"
    marking = Marking(assignment, load_settings(course), "namespaces" if best else settings["isolation"])
    _tell(_short_of_memory(marking.settings.memory_mib))
    try:
        report = mark_alone(handin, marking)
    except IsolationMissing as error:
        if not best:
            raise
        _tell(f"{error}; marked with --isolation process")
        report = mark_alone(handin, replace(marking, isolation="process"))
    results = to_gradescope(report, settings["visibility"])
    write_atomically(root / "results" / "results.json", json_text(results))
    console().print(report_table(report))
    if report.status == GRADER_ERROR:
        _tell(json_text(report.staff))
        return 4
    return 0


def student_of(metadata: Path) -> str:
    """Return who handed in, as Gradescope says; a group is all of its addresses."""
    try:
        users = json.loads(metadata.read_bytes())["users"]
        names = [str(user.get("email") or user.get("name") or user.get("id")) for user in users]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        names = []
    return ", ".join(names) or "submission"


def _short_of_memory(box_mib: int) -> str:
    """Return what staff should know of a small container; "" for one that is large enough or does not tell."""
    try:
        given = int(CGROUP_MEMORY.read_text(encoding="ascii")) // MIB
    except (OSError, ValueError):
        return ""
    if given >= box_mib + OURS_MIB:
        return ""
    return (
        f"this container has {given} MiB: torch needs more than Gradescope's smallest one gives, and a submission "
        f"may take {box_mib}; choose a larger one in the assignment's settings, or lower memory_mib in autograder.toml"
    )


def _tell(text: str) -> None:
    if text:
        console().print(clean(text, 20_000), soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
