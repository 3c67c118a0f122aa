"""The numbers of a class, against independent ones: numpy's and scipy's, of all reports at once."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from autograder.grading.class_report import gather
from autograder.render.class_statistics import ENOUGH, ClassStatistics, quartiles
from autograder.report import GRADED, GRADER_ERROR, Decision, Report
from autograder.verdict import Status
from tests.sample_reports import graded, sample_class


def counted(reports: list[Report]) -> ClassStatistics:
    """Return the statistics of some reports."""
    found = ClassStatistics()
    for report in reports:
        found.add(report)
    return found


def points_of(reports: list[Report], task: str, check: str) -> list[float]:
    """Return what each report earned at a check, 0 to 1."""
    return [
        float(each.earned)
        for report in reports
        for row in report.tasks
        if row.id == task
        for each in row.checks
        if each.id == check
    ]


def test_difficulty_and_discrimination_are_those_of_scipy() -> None:
    """For every check: the mean, the point-biserial correlation with the rest of the score, and its interval."""
    reports = [report for report in sample_class(200) if report.status == GRADED]
    found = counted(reports)
    assert len(found.checks) == sum(len(task.checks) for task in reports[0].tasks)
    for check in found.checks.values():
        x = np.array(points_of(reports, check.task, check.id))
        total = np.array([report.score for report in reports])
        rest = total if check.bonus else total - check.points * x
        assert check.difficulty == pytest.approx(x.mean())
        assert check.discrimination is not None
        assert check.discrimination.r == pytest.approx(stats.pointbiserialr(x.astype(bool), rest).statistic)
        low, high = stats.pearsonr(x, rest).confidence_interval(0.95)
        assert (check.discrimination.low, check.discrimination.high) == pytest.approx((low, high), abs=1e-4)
        # The formula that the documentation states.
        p, spread = x.mean(), rest.std()
        stated = (rest[x == 1].mean() - rest[x == 0].mean()) / spread * np.sqrt(p * (1 - p))
        assert check.discrimination.r == pytest.approx(stated)


@pytest.mark.parametrize("size", [1, ENOUGH - 1])
def test_few_students_have_no_discrimination(size: int) -> None:
    """A correlation of a handful is not shown; how many there were is."""
    found = counted([graded(str(n)) for n in range(size)])
    assert {check.discrimination for check in found.checks.values()} == {None}
    assert found.checks["noisy_sample", "values"].n == size


def test_where_all_did_the_same_nothing_is_told_apart() -> None:
    """A check that everybody holds has a difficulty and no discrimination."""
    check = counted([graded(str(n)) for n in range(50)]).checks["noisy_sample", "values"]
    assert check.difficulty == 1.0
    assert check.discrimination is None


def test_what_was_not_attempted_is_neither_easy_nor_hard() -> None:
    """Who did not try is counted apart; partial credit counts as what it is."""
    tasks = graded().tasks
    half = replace(tasks[0].checks[0], earned=Fraction(1, 2))
    untried = replace(tasks[0].checks[0], status=Status.NOT_ATTEMPTED, earned=Fraction(0))
    reports = [graded("a")] + [
        graded(name, tasks=(replace(tasks[0], checks=(check, *tasks[0].checks[1:])), *tasks[1:]))
        for name, check in (("b", half), ("c", untried))
    ]
    check = counted(reports).checks["noisy_sample", "values"]
    assert (check.held, check.part, check.lost, check.open, check.n) == (1, 1, 0, 1, 2)
    assert check.difficulty == 0.75


def test_a_persons_decision_counts_in_the_score_and_in_no_check() -> None:
    """Marks given by hand move the scores; what is told of the checks stays."""
    tasks = tuple(replace(task, override=Decision(0.0, "copied")) for task in graded().tasks)
    decided, before = counted([graded(tasks=tasks)]), counted([graded()])
    assert (decided.scores, before.scores) == ([0.0], [22.0])
    assert decided.checks == before.checks


def test_students_are_counted_once_for_what_occurs_often() -> None:
    """Two checks lost by one mistake, at one limit, are one student."""
    lost = [replace(c, status=Status.TIMEOUT, earned=Fraction(0), misconception="m") for c in graded().tasks[0].checks]
    reports = [graded(tasks=(replace(graded().tasks[0], checks=tuple(lost)),))] * 2
    assert gather(reports, lambda report: False).counts == {
        ("kind", "graded"): 2,
        ("mistake", "noisy_sample", "m"): 2,
        ("limit", "timeout"): 2,
        ("notice", "locked_cell_changed"): 2,
    }


def test_a_misconceptions_sentence_is_the_first_that_a_student_reads() -> None:
    """Of several reports the first one's; what follows, a question or the student's own values, is left out."""
    check = replace(graded().tasks[0].checks[0], status=Status.WRONG, misconception="m")

    def said(message: str) -> Report:
        return graded(tasks=(replace(graded().tasks[0], checks=(replace(check, message=message),)),))

    reports = [said(""), said("It is 0.9, whatever is asked. Why?\n\n x  0.25"), said("It is 0.5. Why?")]
    assert counted(reports).sentences == {("noisy_sample", "m"): "It is 0.9, whatever is asked."}
    assert gather(reports, lambda report: False).counts["mistake", "noisy_sample", "m"] == 3


def test_what_we_failed_on_is_no_score() -> None:
    """A fault of the grader is in no distribution."""
    found = counted([graded(status=GRADER_ERROR, reason="Ours.")])
    assert (found.scores, found.seconds, found.checks) == ([], [], {})


def test_quartiles_are_numpys() -> None:
    """By linear interpolation, from four values on."""
    values = [3.0, 1.0, 4.0, 1.5, 9.0, 2.6]
    assert quartiles(values) == pytest.approx(tuple(np.quantile(values, [0.25, 0.5, 0.75])))
    assert quartiles(values[:3]) is None
