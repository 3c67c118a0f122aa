"""Given code in a box keeps globals of its own, whatever the student's cells bind their names to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from autograder.box.messages import CallFunction, Evaluate, Model
from tests.boxes import Bench, cell, needs_bubblewrap

PRELUDE = """
from __future__ import annotations
import dataclasses
from typing import get_type_hints
import torch
from torch import nn

@dataclasses.dataclass
class Pair:
    first: int
    second: Pair | None = None

SCALE = 2.0

def column(t):
    return t.reshape(len(t), 1)

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(1, 1)

    def forward(self, x, t):
        return SCALE * self.inner(x) + column(t)
"""
STATE = {"inner.weight": torch.ones(1, 1), "inner.bias": torch.zeros(1)}
POINT = [torch.ones(1, 1), torch.ones(1)]


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    """One keeper for all tests."""
    bench = Bench(prelude=(PRELUDE,), givens={"given": Model("Net", STATE)})
    yield bench
    bench.stop()


def value(bench: Bench, source: str, model: Model) -> Any:
    """Return what a network of the judge's answers in a box in which this cell has run."""
    with bench.box() as box:
        assert box.request(cell(source, 10.0), 10.0).failure is None
        return box.request(Evaluate(model, POINT), 10.0)


@pytest.mark.bubblewrap
class TestGivenCode:
    """What the prelude defines, in real boxes."""

    pytestmark = needs_bubblewrap

    @pytest.mark.parametrize(
        "rebinding",
        [
            "nn = 3",
            "len = 3",
            "SCALE = 5.0",
            "def column(t): return 0",
            "class Net(nn.Module): pass",
            "import builtins\nbuiltins.len = 3",
            "del nn, column, SCALE",
        ],
    )
    def test_rebound_names_change_nothing(self, bench: Bench, rebinding: str) -> None:
        """Neither of the judge's networks, nor of given ones in the student's own hands."""
        assert value(bench, rebinding, Model("Net", STATE)).value.tolist() == [[3.0]]
        with bench.box() as box:
            box.request(cell(f"def f(*point, given=given): return given(*point)\n{rebinding}", 10.0), 10.0)
            box.request(cell("def f(*point, f=f): return f(*point)", 10.0), 10.0)
            assert box.request(CallFunction("f", POINT, {}), 10.0).value.tolist() == [[3.0]]

    def test_class_of_the_notebooks_own_is_the_students(self, bench: Bench) -> None:
        """Where the judge asks for the class as the notebook has it."""
        source = "class Net(Net):\n    def forward(self, x, t): return 0 * x"
        assert value(bench, source, Model("Net", STATE, notebook=True)).value.tolist() == [[0.0]]

    def test_pickle_and_dataclasses_find_given_classes(self, bench: Bench) -> None:
        """They look in `__main__`, as in a notebook."""
        source = """
import copy, pickle
assert pickle.loads(pickle.dumps(Pair(1, Pair(2)))) == Pair(1, Pair(2))
assert get_type_hints(Pair)["second"] == Pair | None
assert copy.deepcopy(given)(torch.ones(1, 1), torch.ones(1)).item() == 3
assert isinstance(pickle.loads(pickle.dumps(given)), Net)
@dataclasses.dataclass
class Three(Pair):
    third: "Pair" = None
assert pickle.loads(pickle.dumps(Three(1))) == Three(1)
import __main__
assert __main__.given is given and __main__.Three is Three
"""
        ran = bench.run(source)
        assert (ran.kind, ran.text) == (None, "")
