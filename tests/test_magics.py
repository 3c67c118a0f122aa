"""Magics in a student's cell: what times Python runs it, as IPython would; what is for a shell does nothing."""

from __future__ import annotations

from typing import Any

import pytest

from autograder.box.answers import compile_cell
from autograder.box.notebook import furnish


def run(source: str) -> dict[str, Any]:
    """Return the namespace that a cell leaves."""
    namespace: dict[str, Any] = {}
    furnish(namespace)
    exec(compile_cell(1, source), namespace)
    return namespace


@pytest.mark.parametrize(
    "source",
    [
        "%time x = 5",
        "x = %time 2 + 3",
        "%%time\nx = 5",
        "%%capture out\nx = 5",
        "!rm x\nx = 5",
        "if True:\n    %time x = 5",
    ],
)
def test_statement_that_is_timed_is_run(source: str) -> None:
    """Its names are the cell's, and an expression has its value."""
    assert run(source)["x"] == 5


def test_timed_body_is_compiled_as_the_cell_alone_says() -> None:
    """No __future__ import of the grader's own reaches it: annotations are objects, as in IPython."""
    assert run("%%time\ndef f(x: int): return x")["f"].__annotations__ == {"x": int}
