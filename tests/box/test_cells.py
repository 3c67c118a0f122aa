"""A cell of the student's runs as in the whole notebook, although given cells that draw or train are not run."""

from __future__ import annotations

import builtins
import textwrap
from typing import Any

import pytest

from autograder.box.cells import Cells, Ran
from autograder.box.failures import CellTooSlow, cell_name, describe_failure
from autograder.box.source import bound_names
from tests.notebooks import assignment

ELSEWHERE = ["show_cloud", "trained"]


def ran(*sources: str) -> tuple[dict[str, Any], list[Ran[BaseException]]]:
    """Return the namespace that cells leave, one after the other, and what each ended with."""
    namespace: dict[str, Any] = {}
    cells = Cells(namespace, lambda error: error, CellTooSlow, ELSEWHERE)
    return namespace, [
        cells.run(cell_name(number), textwrap.dedent(source)) for number, source in enumerate(sources, 1)
    ]


def run(*sources: str) -> dict[str, Any]:
    """Return the namespace that cells leave in which nothing fails."""
    namespace, found = ran(*sources)
    assert not any(each.failures for each in found)
    return namespace


FAILING = {
    "import": ("import nothing as a", {"a"}),
    "import of several": ("import math, nothing as a, cmath", {"a"}),
    "names of a module": ("from math import sqrt, nothing as a, pi", {"a"}),
    "star": ("from nothing import *", {"*"}),
    "assignment": ("a = 1 / 0", {"a"}),
    "several targets": ("a = b, (c, *d) = 1 / 0", {"a", "b", "c", "d"}),
    "annotated": ("a: int = 1 / 0", {"a"}),
    "augmented": ("a += 1", {"a"}),
    "attribute": ("z.a = 1", set()),
    "walrus": ("print(a := 1 / 0)", {"a"}),
    "walrus in a comprehension": ("[a := 1 / b for b in [0]]", {"a"}),
    "function": ("@nothing\ndef a(): b = 1", {"a"}),
    "default": ("def a(b=1 / 0): c = 1", {"a"}),
    "class": ("class a:\n    b = 1 / 0", {"a"}),
    "loop": ("for a in 1 / 0:\n    b = 1", {"a", "b"}),
    "with": ("with open('/nothing') as a:\n    b = 1", {"a", "b"}),
    "try": ("try:\n    a = 1 / 0\nexcept KeyError:\n    b = 1", {"a", "b"}),
    "if": ("if 1 / 0:\n    import a.b\nelse:\n    c = 1", {"a", "c"}),
    "match": ("match 1 / 0:\n    case [a, *b]: pass", {"a", "b"}),
    "del": ("del a", {"a"}),
    "expression": ("1 / 0", set()),
    "exit": ("raise SystemExit", set()),
    "await": ("a = await nothing()", {"a"}),
    "timed": ("%time a = 1 / 0", {"a"}),
    "value of a timed one": ("a = %time 1 / 0", {"a"}),
    "timed cell": ("%%time\nb = 1\na = 1 / 0", {"a"}),
    "captured cell": ("%%capture\na = 1 / 0\nb = 1", {"a"}),
    "file": ("%run nothing.py", {"*"}),
    "global": ("def b():\n    global a\n    c = 1 / 0\n    a = 1\nb()", {"a"}),
}


@pytest.mark.parametrize("name", FAILING)
def test_statement_that_fails_costs_what_it_would_have_bound(name: str) -> None:
    """What stands below it in the cell is there, but for what needs that."""
    source, missing = FAILING[name]
    below = "" if source.startswith("%%") else "\nx = 5"
    namespace, (found,) = ran(source + below)
    (failed,) = found.failures
    assert failed.names == missing
    assert not missing & namespace.keys()
    assert below == "" or namespace["x"] == 5


@pytest.mark.parametrize(
    "reads",
    [
        "b = a",
        "b = [a for _ in [1]]",
        "b = f()",
        "a += 1\nb = a",
        "@a\ndef b(): pass",
        "class b(a): pass",
        "class b:\n    c = a",
        "def b(c=a): pass",
        "c = a\nb = c",
        "c = f()\nb = c",
    ],
)
@pytest.mark.parametrize("before", ["", "a = int"])
def test_what_reads_it_is_passed_over_whatever_stood_there(before: str, reads: str) -> None:
    """Through functions and other names too, and it is no failure of its own; after the cell the old value is back."""
    namespace, found = ran(before, f"def f(): return a\na = 1 / 0\n{reads}\nd = 1")
    assert len(found[1].failures) == 1
    assert found[1].failures[0].names >= {"a"}
    assert namespace.get("d") == 1
    assert "b" not in namespace
    assert namespace.get("a") is (int if before else None)


@pytest.mark.parametrize(
    "mentions",
    [
        "def b(): return a",
        "b = lambda: a",
        "class b:\n    def c(self): return a",
        "a = 2\nb = a",
        "b = [a for a in [1]]",
        "if False: b = a\nelse: b = 1",
        "try:\n    b = a\nexcept NameError:\n    b = 1",
        "import math as a\nb = a.pi",
    ],
)
def test_what_does_not_read_it_is_run(mentions: str) -> None:
    """A function is defined, for only its call reads; a name that is bound again is there."""
    namespace, found = ran("a = int", f"a = 1 / 0\n{mentions}")
    assert len(found[1].failures) == 1
    assert "b" in namespace


def test_name_that_python_has_too_is_missing() -> None:
    """It is not taken for Python's own."""
    namespace, (found,) = ran(
        "from nothing import sum\nx = sum([1])\ndef f(): return sum([1])\ny = [sum for sum in [1]]"
    )
    assert ("x" in namespace, "f" in namespace, "y" in namespace) == (False, True, True)
    assert found.failures[0].names == {"sum", "x"}


def test_failures_of_a_cell_keep_their_names_apart() -> None:
    """Each missing name has its own reason, first of all that of what failed first."""
    _, (found,) = ran("import nothing\nb = 1 / 0\nc = nothing.x\nd = b\ne = unknown")
    assert [(type(each.why), each.names) for each in found.failures] == [
        (ModuleNotFoundError, {"nothing", "c"}),
        (ZeroDivisionError, {"b", "d"}),
        (NameError, {"e"}),
    ]


def test_partly_done_statement_leaves_what_it_has_bound_when_the_cell_ends() -> None:
    """A try-out inside an if or a loop does not take the function beside it along."""
    namespace, _ = ran("if True:\n    def f(): return 1\n    f() / 0\nx = f()")
    assert namespace["f"]() == 1
    assert "x" not in namespace


@pytest.mark.parametrize(
    "source", ["a = 1\nstop()\nb = 1", "%%time\na = 1\nstop()\nb = 1", "a = 1; 1 / 0; stop(); b = 1"]
)
def test_out_of_time_ends_the_cell(source: str) -> None:
    """Nothing below it is run, and it is told of first."""
    stop = "from autograder.box.failures import CellTooSlow\ndef stop(): raise CellTooSlow"
    namespace, (_, found) = ran(stop, source)
    assert ("a" in namespace, "b" in namespace) == (True, False)
    assert type(found.failures[0].why) is CellTooSlow


def test_builtins_are_pythons_own_after_a_cell() -> None:
    """What is given to a name there is given to everybody's code."""
    before = dict(vars(builtins))
    namespace, (found,) = ran("import builtins\nbuiltins.len = builtins.isinstance = 3\n1 / 0\nx = len('abc')")
    assert vars(builtins) == before
    assert (len(found.failures), namespace["x"]) == (1, 3)


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
    _, (_, found) = ran("y = 1", source)
    (failed,) = found.failures
    assert isinstance(failed.why, NameError)
    assert failed.why.name == name
    assert describe_failure(failed.why).cell == 2


def test_future_import_holds_for_later_cells() -> None:
    """As in IPython: an annotation that only a type checker knows is no error."""
    later = "def f(x: Float[Tensor]): return x"
    assert run("from __future__ import annotations", later)["f"].__annotations__ == {"x": "Float[Tensor]"}
    assert ran(later)[1][0].failures


def test_names_elsewhere_are_those_of_given_cells_that_are_not_run() -> None:
    """Trained models and the helpers of figures are among them; what the prelude defines and answers are not."""
    names = assignment().elsewhere
    assert {"consistency_model", "show_cloud", "history", "endpoint_error", "Recipe"} <= names
    assert not names & {"ToyModel", "F", "np", "noisy_sample", "ema_update"}


def test_bound_names_are_those_of_the_module() -> None:
    """Not those of a function's own, nor what is only read."""
    source = "import a.b as c, d\nfor e in f: g = e\ndef h(i): j = i\nclass K: l = 1\nwith m as n: o: int = 1"
    assert bound_names(source) == {"c", "d", "e", "g", "h", "K", "n", "o"}
