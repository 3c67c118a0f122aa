"""A cell of the student's runs as in the whole notebook, although given cells that draw or train are not run."""

from __future__ import annotations

from typing import Any

import pytest

from autograder.box.cells import Cells
from autograder.box.failures import describe_failure
from autograder.box.ipython import bound_names, furnish
from tests.notebooks import assignment

ELSEWHERE = ["show_cloud", "trained"]


def run(*sources: str) -> dict[str, Any]:
    """Return the namespace that cells leave, one after the other."""
    namespace: dict[str, Any] = {}
    furnish(namespace)
    cells = Cells(namespace, ELSEWHERE)
    for number, source in enumerate(sources, 1):
        cells.run(number, source)
    return namespace


@pytest.mark.parametrize(
    "source",
    [
        "show_cloud(1)\nx = 5",
        "x = 4; show_cloud(1); x += 1",
        "curve = trained(3)\nprint(curve.shape)\nx = 5",
        "for _ in range(2):\n    trained(3)\nx = 5",
        "def look(a):\n    return show_cloud(a)\nlook(1)\nx = 5",
        "%%time\nx = 5\nshow_cloud(1)",
        "%time y = 1\nshow_cloud(1)\nx = 5",
        "await trained()\nx = 5",
        "x = 5\nwith trained: pass",
    ],
)
def test_statement_that_needs_a_given_figure_or_model_is_left_out(source: str) -> None:
    """Whatever else the cell defines is there, and it does not fail."""
    assert run(source)["x"] == 5


def test_what_a_left_out_statement_would_have_bound_is_missed_in_later_cells_too() -> None:
    """A try-out in two cells is a try-out."""
    assert run("samples = trained(10)", "samples.mean()\nx = 5")["x"] == 5


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("unknown(1)\nx = 5", "unknown"),
        ("def f(a=trained): return a", "trained"),
        ("@trained\ndef f(a): return a", "trained"),
        ("class A:\n    b = trained", "trained"),
    ],
)
def test_other_missing_names_and_definitions_fail(source: str, name: str) -> None:
    """A misspelt name, and an answer that cannot be made without what is not run, are told."""
    with pytest.raises(NameError) as caught:
        run("y = 1", source)
    assert caught.value.name == name
    assert describe_failure(caught.value).cell == 2


def test_future_import_holds_for_later_cells() -> None:
    """As in IPython: an annotation that only a type checker knows is no error."""
    later = "def f(x: Float[Tensor]): return x"
    assert run("from __future__ import annotations", later)["f"].__annotations__ == {"x": "Float[Tensor]"}
    with pytest.raises(NameError):
        run(later)


def test_names_elsewhere_are_those_of_given_cells_that_are_not_run() -> None:
    """Trained models and the helpers of figures are among them; what the prelude defines and answers are not."""
    names = assignment().elsewhere
    assert {"consistency_model", "show_cloud", "history", "endpoint_error", "Recipe"} <= names
    assert not names & {"ToyModel", "F", "np", "noisy_sample", "ema_update"}


def test_bound_names_are_those_of_the_module() -> None:
    """Not those of a function's own, nor what is only read."""
    source = "import a.b as c, d\nfor e in f: g = e\ndef h(i): j = i\nclass K: l = 1\nwith m as n: o: int = 1"
    assert bound_names(source) == {"c", "d", "e", "g", "h", "K", "n", "o"}
