"""The student's `check` runs cells as marking does: by their statements, with given code that keeps its own names."""

from collections.abc import Iterator
from typing import Any

import pytest

from autograder.box.defaults import Defaults
from autograder.platforms.student.check.child import Notebook

PRELUDE = "import torch\nfrom torch import nn\ndef column(t): return len(t) * nn.Identity()(t)\n"
ANSWER = "def double(x): return 2 * col(x)"
TEST = "assert len([1]) == 1\nassert double(column(torch.ones(1))) == 2\nassert torch.zeros(1).dtype is torch.float32"


@pytest.fixture(autouse=True)
def kept() -> Iterator[None]:
    """Leave this process as it was."""
    defaults = Defaults()
    yield
    defaults.put_back()


def run(*cells: tuple[str, str], elsewhere: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """Return what came of cells, each a kind and a source; the answer is to the task `double`."""
    notebook = Notebook(list(elsewhere))
    given = {"label": "cell 1", "seconds": 10.0, "task": "double"}
    return [notebook.run({**given, "kind": kind, "source": source}) for kind, source in cells]


def test_own_cell_goes_on_behind_a_failure() -> None:
    """The helper below it is there, the failure is told, and so is what was not run."""
    own = "import nothing_there\n!pip install x\ndef col(x): return x"
    _, failed, answer, test = run(("prelude", PRELUDE), ("own", own), ("own", ANSWER), ("test", TEST))
    assert (failed["error"], failed["where"]) == ("ModuleNotFoundError", "cell 1, line 1")
    assert (failed["defined"], failed["unrun"]) == (False, ["!pip"])
    assert (answer["error"], answer["defined"]) == ("", True)
    assert test["error"] == "", test


@pytest.mark.parametrize(
    "own", ["nn = 3\nlen = 3", "def column(t): return 0", "torch = 3", "torch.set_default_dtype(torch.float64)"]
)
def test_given_code_keeps_its_names_and_defaults(own: str) -> None:
    """As in marking, nothing that a student rebinds reaches it; what an answer reads is the student's."""
    found = run(
        ("prelude", PRELUDE), ("own", f"def col(x): return x\n{ANSWER}\n{own}"), ("given", "x = 1"), ("test", TEST)
    )
    assert [each["error"] for each in found] == [""] * 4, found


def test_names_of_given_cells_that_were_not_run_are_passed_over() -> None:
    """A figure that needs the trained model is no failure; a name that nothing binds is one."""
    tried, failed = run(("own", "show(trained)\nx = 5"), ("own", "y = x\nunknown"), elsewhere=("show", "trained"))
    assert (tried["error"], failed["error"]) == ("", "NameError")
