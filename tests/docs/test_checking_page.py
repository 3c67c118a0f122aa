"""docs/checking.md: its examples run, and it explains every name that authors of checks import."""

from __future__ import annotations

import doctest
import inspect
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import torch

from autograder import checking
from autograder.nbgrader_host.kernel import LocalStudent
from tests.documented_commands import blocks, spans

PAGE = Path(__file__).parents[2] / "docs" / "checking.md"


@pytest.fixture
def page(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return what the page's files define, with a student who has its functions."""
    request.config.addinivalue_line("markers", "points(weight, value=False): a hidden check")
    checks, functions = ({"__name__": "page", "torch": torch} for _ in range(2))
    first, second = [block for block in blocks(PAGE, "python") if not block.text.startswith(">>>")]
    exec(first.text, checks)
    exec(second.text, functions)
    return {**checks, "student": LocalStudent(functions), "functions": functions}


def test_checks_of_the_page_tell_right_from_wrong(page: dict[str, Any]) -> None:
    """A right answer passes both checks; one that writes into an argument or exchanges signs fails its own."""
    tests = [page["test_values"], page["test_arguments"]]
    for test in tests:
        hypothesis.seed(1)(test)
        test(page["student"])
    for test, wrong in zip(
        tests, (lambda x, y, slope: slope * x - y, lambda x, y, slope: y.sub_(slope * x)), strict=True
    ):
        with pytest.raises(checking.CheckFailed):
            test(LocalStudent({"residuals": wrong}))


def test_examples_of_the_page_print_what_it_shows(page: dict[str, Any]) -> None:
    """Each line at the prompt gives the answer beneath it."""
    sessions = [block for block in blocks(PAGE, "python") if block.text.startswith(">>>")]
    assert len(sessions) >= 7
    runner, told = doctest.DocTestRunner(verbose=False), []
    for block in sessions:
        test = doctest.DocTestParser().get_doctest(block.text, page, block.where, PAGE.name, 0)
        runner.run(test, out=told.append, clear_globs=False)
    assert told == []


def test_page_names_all_that_authors_import() -> None:
    """Every name of `autograder.checking`, and every function of `expect` and `inputs`, is explained."""
    named = {span.partition("(")[0] for span in spans(PAGE)}
    parts = {
        f"{module.__name__.rpartition('.')[2]}.{name}"
        for module in (checking.expect, checking.inputs)
        for name, thing in vars(module).items()
        if inspect.isfunction(thing) and thing.__module__ == module.__name__ and not name.startswith("_")
    }
    assert set(checking.__all__) | parts - {"expect.close"} <= named
