"""`autograder compare OLD NEW`: whose marks changed from one folder of results to another, by how much and why."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.grading.stored_reports import StoredClass
from autograder.render.terminal import changes_table, console
from autograder.render.wording import verdict
from autograder.report import GRADED, CheckResult, Decision, Report, TaskResult
from autograder.text import number


@dataclass(frozen=True)
class Change:
    """A student's two marks, and why they differ; a report is None where there is no whole one."""

    student: str
    old: Report | None
    new: Report | None
    why: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()  # in which of the results, "old" and "new", there is a file that cannot be read

    @property
    def differs(self) -> bool:
        """Whether the mark is another one in any part."""
        return self.old is None or self.new is None or _mark(self.old) != _mark(self.new)

    @property
    def kind(self) -> str:
        """What has become of the mark, in words."""
        if self.broken:
            return f"cannot be read in the {' and the '.join(self.broken)} results"
        if self.old is None or self.new is None:
            return "only in the new results" if self.old is None else "only in the old results"
        if self.old.score is None or self.new.score is None:
            return "without a score before or now"
        if self.old.score == self.new.score:
            return "in the bonus or between tasks"
        return "higher" if self.old.score < self.new.score else "lower"

    @property
    def row(self) -> tuple[str, str, str, str, str]:
        """The student, the old score, the new one, the difference, and the reasons a line each."""
        old, new = (None if report is None else report.score for report in (self.old, self.new))
        by = "" if old is None or new is None else f"{new - old:+.4g}"
        return self.student, _shown(self.old), _shown(self.new), by, "\n".join(self.why)


def _shown(report: Report | None) -> str:
    if report is None:
        return "–"
    score = "–" if report.score is None else number(report.score)
    return f"{score} + {number(report.bonus)}" if report.bonus else score


def compare_command(old: Path, new: Path) -> int:
    """Print whose marks changed and why; returns 0 whatever has changed.

    Raises UsageError for a folder that holds no reports.
    """
    before, after = StoredClass(old), StoredClass(new)
    kinds: Counter[str] = Counter()
    out = console()
    rows = []
    total = 0
    for name in sorted(before.names | after.names):  # two reports in memory at a time
        change = compared(before, after, name)
        total += change is not None
        if change is not None and change.differs:
            kinds[change.kind] += 1
            rows.append(change.row)
    if rows:
        out.print(changes_table(rows))
    counts = "".join(f", {count} {kind}" for kind, count in sorted(kinds.items()))
    out.print(f"{len(rows)} of {total} marks differ{counts}.", soft_wrap=True)
    return 0


def compared(old: StoredClass, new: StoredClass, name: str) -> Change | None:
    """Return what has become of the mark in the files of this name; None where neither class has it."""
    one, two = old.read(name), new.read(name)
    if one is not None and two is not None:
        return Change(two.student, one, two, (*_of_whole(one, two), *_of_tasks(one, two), *_of_marking(one, two)))
    broken = {when: side for when, side in (("old", old), ("new", new)) if side.is_broken(name)}
    known = one or two
    if known is None and not broken:
        return None
    why = tuple(f"{side.folder / name}.json cannot be read; mark again" for side in broken.values())
    return Change(known.student if known else name, one, two, why, tuple(broken))


def _mark(report: Report) -> Any:
    return report.status, report.max_score, [(task.id, task.score, task.points) for task in report.tasks]


def _of_whole(old: Report, new: Report) -> Iterator[str]:
    if old.sha256 != new.sha256:
        yield "another file was handed in"
    if (old.status, old.reason) != (new.status, new.reason):
        for tense, report in (("was", old), ("is", new)):
            if report.status != GRADED:
                yield f"{tense} {report.status.replace('_', ' ')}: {report.reason}"


def _of_tasks(old: Report, new: Report) -> Iterator[str]:
    before = {task.id: task for task in old.tasks}
    after = {task.id: task for task in new.tasks}
    for name in dict.fromkeys((*before, *after)):
        one, two = before.get(name), after.get(name)
        if one is None or two is None:
            yield f"{name}: {'a new task' if one is None else 'no longer a task'}"
        elif (one.score, one.points) != (two.score, two.points):
            reasons = "; ".join(_of_task(one, two))
            yield f"{name} {_of(one)} → {_of(two)}" + (f": {reasons}" if reasons else "")


def _of(task: TaskResult) -> str:
    return f"{number(task.score)} of {number(task.points)}"


def _of_task(old: TaskResult, new: TaskResult) -> Iterator[str]:
    if old.override != new.override:
        yield _decided(new.override)
    before = {check.id: check for check in old.checks}
    after = {check.id: check for check in new.checks}
    for name in dict.fromkeys((*before, *after)):
        one, two = before.get(name), after.get(name)
        if one is None or two is None:
            if old.checks and new.checks:  # else the whole report says why there are none
                yield f"{name} {'is new' if two is not None else 'is gone'}"
        elif text := _of_check(one, two):
            yield f"{name} {text}"


def _decided(decision: Decision | None) -> str:
    return f"decided by a person: {decision.reason}" if decision is not None else "a person's decision was taken back"


def _of_check(old: CheckResult, new: CheckResult) -> str:
    if old.status is not new.status:
        return f"{verdict(old)} → {verdict(new)}"
    if old.earned != new.earned:
        return f"earns {number(float(100 * old.earned))} % → {number(float(100 * new.earned))} %"
    if old.share != new.share:
        return f"weighs {number(float(100 * old.share))} % → {number(float(100 * new.share))} % of the task"
    return ""


def _of_marking(old: Report, new: Report) -> Iterator[str]:
    """Tell how the marking itself differs."""
    tasks = dict.fromkeys((*old.how, *new.how))
    others = [task for task in tasks if old.how.get(task) != new.how.get(task)]
    if others and len(others) < len(tasks):
        yield f"other checks of {', '.join(others)}"
    elif others:
        yield "other code, settings or libraries"
    for name in sorted({**old.versions, **new.versions}):
        one, two = old.versions.get(name, "none"), new.versions.get(name, "none")
        if one != two:
            yield f"{name} {one} → {two}"
    if old.isolation != new.isolation:
        yield f"isolation {old.isolation} → {new.isolation}"
