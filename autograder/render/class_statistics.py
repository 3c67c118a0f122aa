"""What the reports of a class say together: one pass over them, of which a few numbers are kept.

Difficulty and discrimination are those of classical item analysis; both are taken over whoever attempted the check.
"""

import math
import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

from autograder.report import GRADED, CheckResult, Report, TaskResult
from autograder.text import one_line
from autograder.verdict import Status

ENOUGH = 10  # students; from fewer a correlation is noise: with 10, zero is told from 0.63 and more
LIMITS = (Status.TIMEOUT, Status.MEMORY, Status.OUTPUT, Status.RESOURCE, Status.CRASH, Status.BLOCKED)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s")
_NOT_TRIED = (Status.NOT_ATTEMPTED, Status.GRADER_ERROR)


@dataclass(frozen=True)
class Correlation:
    """A correlation with its 95 % interval (Fisher's z, 1921)."""

    r: float
    low: float
    high: float


@dataclass
class CheckStatistics:
    """How a class did at one check. Verdicts are counted; x and y are what its correlation is between."""

    task: str
    id: str
    title: str
    points: float
    bonus: bool
    held: int = 0
    part: int = 0
    lost: int = 0
    open: int = 0  # not attempted, or not checked through our own fault
    mean_x: float = 0.0
    mean_y: float = 0.0
    _xx: float = 0.0
    _yy: float = 0.0
    _xy: float = 0.0

    @property
    def n(self) -> int:
        """How many attempted it."""
        return self.held + self.part + self.lost

    @property
    def difficulty(self) -> float | None:
        """The mean share of its points, 0 to 1: the item's difficulty, which is high where it is easy."""
        return self.mean_x if self.n else None

    @property
    def discrimination(self) -> Correlation | None:
        """How the check goes with the rest of the score; None from too few, or where all did the same.

        The correlation of an item with the sum of the remaining items (Guilford 1953, Educational and Psychological
        Measurement 13, 87-93), Pearson's r: where a check holds or does not, that is the point-biserial correlation,
        (M_1 - M_0) / s sqrt(p (1 - p)), with the mean rest of the score of those for whom it holds and does not,
        its standard deviation s over all of them and the share p for whom it holds.
        """
        if self.n < ENOUGH or min(self._xx, self._yy) <= 1e-9 * self.n:
            return None
        r = max(-1.0, min(1.0, self._xy / math.sqrt(self._xx * self._yy)))
        z, half = math.atanh(max(-1 + 1e-12, min(1 - 1e-12, r))), 1.96 / math.sqrt(self.n - 3)
        return Correlation(r, math.tanh(z - half), math.tanh(z + half))

    def add(self, check: CheckResult, points: float, total: float) -> None:
        """Count a student's verdict; `points` is what the check is worth, `total` what all checks earned them."""
        if check.status in _NOT_TRIED:
            self.open += 1
            return
        x = float(check.earned)
        self.held += x == 1
        self.part += 0 < x < 1
        self.lost += x == 0
        y = total if self.bonus else total - points * x
        # Welford's update: sums of squares of deviations, without the loss of digits that sums of squares have.
        before_x, before_y = x - self.mean_x, y - self.mean_y
        self.mean_x += before_x / self.n
        self.mean_y += before_y / self.n
        self._xx += before_x * (x - self.mean_x)
        self._yy += before_y * (y - self.mean_y)
        self._xy += before_x * (y - self.mean_y)


@dataclass
class ClassStatistics:
    """The numbers of a class; `add` takes one report after the other."""

    checks: dict[tuple[str, str], CheckStatistics] = field(default_factory=dict)
    sentences: dict[tuple[str, str], str] = field(default_factory=dict)  # by task and mistake, of the first report
    scores: list[float] = field(default_factory=list)  # of what was graded
    seconds: list[float] = field(default_factory=list)

    def add(self, report: Report) -> None:
        """Count a student's report."""
        for key, sentence in _mistakes(report).items():
            if sentence:
                self.sentences.setdefault(key, sentence)
        if report.status != GRADED:
            return
        if report.score is not None:
            self.scores.append(report.score)
        self.seconds.append(report.seconds)
        # The checks' own sum: what a person decided says nothing about a check.
        total = sum(_earned(task, check) for task in report.tasks if not task.bonus for check in task.checks)
        for task in report.tasks:
            for check in task.checks:
                points = float(task.points * check.share)
                known = CheckStatistics(task.id, check.id, check.title, points, task.bonus)
                self.checks.setdefault((task.id, check.id), known).add(check, points, total)


def quartiles(values: Sequence[float]) -> tuple[float, float, float] | None:
    """Return lower quartile, median and upper quartile; None of fewer than four values."""
    if len(values) < 4:
        return None
    lower, median, upper = statistics.quantiles(values, n=4, method="inclusive")
    return lower, median, upper


def _mistakes(report: Report) -> dict[tuple[str, str], str]:
    """Return the known mistakes that a report names, each with its task, and what it says first about them."""
    return {
        (task.id, check.misconception): one_line(_SENTENCE_END.split(check.message, maxsplit=1)[0])
        for task in report.tasks
        for check in task.checks
        if check.misconception
    }


def _earned(task: TaskResult, check: CheckResult) -> float:
    return float(task.points * check.share * check.earned)
