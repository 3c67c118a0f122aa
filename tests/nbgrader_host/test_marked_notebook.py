"""The marked notebook: verdicts that a page can show, figures, and a number that nbgrader reads."""

from __future__ import annotations

import base64
from dataclasses import replace
from fractions import Fraction
from typing import Any
from xml.etree import ElementTree

import nbformat
import pytest
from nbgrader.utils import determine_grade

from autograder.nbgrader_host.marked_notebook import LINE, add_verdicts
from autograder.report import Report
from tests.nbgrader_courses import report_of
from tests.notebooks import blank_notebook, cell
from tests.sample_reports import FIGURES

LONG = "The target moves to the weighted mean of its own parameters and online's, whatever the decay. " * 3


def marked(report: Report) -> Any:
    """Return the release with a report's verdicts; it is a valid notebook."""
    notebook = blank_notebook()
    add_verdicts(notebook, report)
    nbformat.validate(notebook)
    return notebook


def printed(notebook: Any, task: str) -> str:
    """Return the text below a task's test cell."""
    return "".join(output.text for output in cell(notebook, f"test_{task}").outputs if output.output_type == "stream")


def with_message(message: str) -> Report:
    """Return a report in which a check of ema_update is lost with this message."""
    report = report_of("ada", {"ema_update": Fraction(1, 2)})
    tasks = []
    for task in report.tasks:
        if task.id == "ema_update":
            check = replace(task.checks[0], message=message, title=LONG)
            task = replace(task, checks=(check,))
        tasks.append(task)
    return replace(report, tasks=tuple(tasks))


def test_verdicts_fit_a_page() -> None:
    """No line is longer than nbgrader's pages show, and nothing is lost by it."""
    text = printed(marked(with_message(LONG)), "ema_update")
    assert max(len(line) for line in text.splitlines()) <= LINE
    assert " ".join(text.split()).count(LONG.strip()) == 1  # the message; the title loses its full stop
    assert "(8 / 16)" in text


def test_what_fits_stays_as_it_is() -> None:
    """The columns of a small case are not joined."""
    table = "t     yours   expected\n0.25  1.00    2.00"
    text = printed(marked(with_message(table)), "ema_update")
    assert "    t     yours   expected\n    0.25  1.00    2.00\n" in text


def test_figures_stand_below_their_tasks() -> None:
    """Each figure is a picture in a page's size, its words beside it and read out in its place."""
    notebook = marked(replace(report_of("ada"), figures=FIGURES))
    counts = {}
    for task in report_of("ada").tasks:
        pictures = [each for each in cell(notebook, f"test_{task.id}").outputs if each.output_type == "display_data"]
        counts[task.id] = len(pictures)
        for picture in pictures:
            image = ElementTree.fromstring(picture.data["text/html"].replace('">', '"/>'))
            assert image.tag == "img"
            kind, _, content = image.get("src", "").partition(",")
            assert kind == "data:image/svg+xml;base64"
            svg = ElementTree.fromstring(base64.b64decode(content))
            assert image.get("width") == svg.get("width")
            assert image.get("alt")
    assert {task: count for task, count in counts.items() if count} == {
        "sample_quality": 2, "sample_consistency_multistep": 1,
    }  # fmt: skip
    assert "1.43 over all noises" in " ".join(printed(notebook, "sample_quality").split())


@pytest.mark.parametrize("share", [Fraction(0), Fraction(1, 3), Fraction(1)])
def test_nbgrader_reads_the_points_from_the_cell(share: Fraction) -> None:
    """Whatever is printed and drawn, the number below it is what nbgrader takes, a third of 16 as well as 0."""
    report = replace(report_of("ada", {"ema_update": share}), figures=FIGURES)
    notebook = marked(report)
    for task in report.tasks:
        got, _ = determine_grade(cell(notebook, f"test_{task.id}"))
        assert got == pytest.approx(0.0 if task.bonus else task.score)


def test_same_report_makes_the_same_notebook() -> None:
    """Marked twice, a notebook has the same bytes."""
    report = replace(report_of("ada"), figures=FIGURES)
    first, second = (nbformat.writes(marked(report)) for _ in range(2))
    assert first == second
