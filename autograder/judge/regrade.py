"""`autograder grade --only TASK`: marks a task again with what depends on it, and keeps the rest of a stored report."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from autograder.assignment import Assignment, Task
from autograder.report import Report, TaskResult, in_order

OF_CELLS = (
    "cell_cut_short",
    "cell_failed",
    "magic_not_run",
    "output_truncated",
)  # notices of what ran in the boxes, of every task


@dataclass(frozen=True)
class Regrade:
    """Which tasks of a submission are marked again, and the report on this very submission that keeps its others."""

    tasks: tuple[str, ...]
    stored: Report

    @property
    def kept(self) -> dict[str, TaskResult]:
        """The tasks that stay as they are."""
        return {task.id: task for task in self.stored.tasks if task.id not in self.tasks}

    @property
    def how_kept(self) -> dict[str, str]:
        """What decided the marks that stay."""
        return {task: self.stored.how.get(task, "") for task in self.kept}


def with_dependents(only: Iterable[str], assignment: Assignment) -> tuple[str, ...]:
    """Return the tasks to mark again for those that were named, in the assignment's order.

    Raises UsageError for a task that there is not.
    """
    wanted = {assignment.task(name, "--only: ").id for name in only}
    return tuple(task.id for task in assignment.tasks if task.id in wanted or task.depends_on & wanted)


def fits(stored: Report, tasks: Sequence[Task]) -> bool:
    """Return whether a report has the tasks of this assignment, with their points: else it is marked whole."""
    return [(row.id, row.points, row.bonus) for row in stored.tasks] == [
        (task.id, task.points, task.bonus) for task in tasks
    ]


def with_kept(regrade: Regrade, report: Report) -> Report:
    """Return a report in which some tasks were kept, with what else of the stored report belongs to those."""
    notices = {(notice.code, notice.cell): notice for notice in report.warnings}
    for notice in regrade.stored.warnings:
        if notice.code in OF_CELLS:  # as in a marking of all tasks, the first box that saw it tells of it
            notices[notice.code, notice.cell] = notice
    of_cells = [notice for notice in notices.values() if notice.code in OF_CELLS]
    others = [notice for notice in report.warnings if notice.code not in OF_CELLS]
    warnings = (*others, *in_order(of_cells))
    return replace(report, warnings=warnings, staff=_staff(regrade, report.staff), figures=_figures(regrade, report))


def _figures(regrade: Regrade, report: Report) -> list[dict[str, Any]]:
    """Return a report's figures, and the stored ones of tasks that were kept, in the order of the tasks."""
    fresh = {figure["task"] for figure in report.figures}
    stored = [figure for figure in regrade.stored.figures if figure["task"] in regrade.kept.keys() - fresh]
    order = [task.id for task in report.tasks]
    return sorted([*stored, *report.figures], key=lambda figure: order.index(figure["task"]))


def _staff(regrade: Regrade, fresh: dict[str, Any]) -> dict[str, Any]:
    stored, kept = regrade.stored.staff, regrade.kept
    outputs = {task: text for task, text in stored.get("output", {}).items() if task in kept}
    suspicions = [text for text in stored.get("suspicions", []) if text.partition(":")[0] in kept]
    return {
        **fresh,
        "marked_again": list(regrade.tasks),
        "output": {**outputs, **fresh["output"]},
        "suspicions": [*suspicions, *fresh["suspicions"]],
    }
