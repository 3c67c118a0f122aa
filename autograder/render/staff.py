"""How a mark came about, in full, for staff who answer an appeal; never for students."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Literal

from rich.table import Table
from rich.text import Text

from autograder.assignment import Assignment
from autograder.checking.check import seed_of
from autograder.render.wording import points
from autograder.report import Report
from autograder.settings import Settings
from autograder.text import clean, number, one_line


def explained(report: Report, assignment: Assignment, settings: Settings) -> Iterator[Table | Text]:
    """Yield what decided this mark: every check with its seed, the limits, the versions, what was noted aside."""
    yield Text("Checks. The same submission has the same seeds, and with them the same inputs.", style="bold")
    yield _checks(report)
    faults = report.staff.get("faults") or []
    facts = {
        "submission": f"{one_line(report.file)}, sha256 {report.sha256}",
        "prelude": f"sha256 {assignment.prelude_sha256}",
        "isolation": report.isolation,
        **{f"limit {name}": value for name, value in asdict(settings).items()},
        **{f"version {name}": version for name, version in report.versions.items()},
        **{name: value for name, value in report.staff.items() if name not in ("faults", "output")},
        **{f"fault {place}": clean(str(fault)) for place, fault in enumerate(faults, 1)},
    }
    yield Text("What else decided it", style="bold")
    table = Table(box=None, show_header=False, pad_edge=False)
    for _ in ("name", "value"):
        table.add_column(overflow="fold")  # a hash is one long word, and is compared to its end
    for name, value in facts.items():
        table.add_row(Text(name.replace("_", " ")), Text(one_line(str(value), 400)))
    yield table
    for place, output in dict(report.staff.get("output") or {}).items():
        yield Text(f"Printed by {one_line(str(place))}", style="bold")
        yield Text(clean(str(output)))


def _checks(report: Report) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("check", "points", "verdict", "misconception", "seed"):
        side: Literal["left", "right"] = "right" if column == "points" else "left"
        table.add_column(column, justify=side, no_wrap=column in ("check", "seed"), overflow="fold")
    for task in report.tasks:
        decided = f"by a person: {task.override.reason}" if task.override is not None else ""
        table.add_row(Text(task.id, style="bold"), f"{number(task.score)} / {number(task.points)}", Text(decided))
        for check in task.checks:
            seed = f"{seed_of(report.sha256, task.id, check.id):016x}"
            mistake = Text(check.misconception or "")
            table.add_row(f"  {check.id}", points(task, check), check.status.value, mistake, seed)
    return table
