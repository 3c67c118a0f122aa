"""What is dear to import is imported by the keeper, once, where a submission's cells look like it."""

from __future__ import annotations

import time

import pytest

from autograder.judge.lazy_imports import LAZY_IMPORTS, lazy_imports_of
from tests.boxes import Bench, needs_bubblewrap
from tests.notebooks import reference_answers

DYNAMO = ["torch._dynamo"]


@pytest.mark.parametrize(
    ("source", "modules"),
    [
        ("opt = torch.optim.Adam(net.parameters())", DYNAMO),
        ("from torch import nn, optim", DYNAMO),
        ("from torch.func import functional_call, jvp", DYNAMO),
        ("torch.func.jacrev(f)(x)", DYNAMO),
        ("torch.func.vmap(f)(x)", []),
        ("optimal = optimizer_of(x)", []),
        ("from torch.utils.checkpoint import checkpoint\ny = checkpoint(f, x)", DYNAMO),
        ("import pandas as pd", ["pandas"]),
        ("x = 1", []),
    ],
)
def test_modules_are_found_by_the_look_of_the_cells(source: str, modules: list[str]) -> None:
    """In whichever cell it is; a word that only looks like it costs a moment, once."""
    assert lazy_imports_of(["import os", source]) == modules


def test_plain_answers_need_none() -> None:
    """Where nobody needs a module, nobody waits for it."""
    assert lazy_imports_of(reference_answers().values()) == []


@pytest.mark.parametrize("text", ["func " * 400_000, "func" + " " * 10**6, "optim" * 200_000])
def test_no_text_takes_long(text: str) -> None:
    """The judge reads what a student wrote."""
    started = time.process_time()
    lazy_imports_of([text])
    assert time.process_time() - started < 3


SEEN = """
import os
print(json.dumps([sorted(set({modules}) & set(sys.modules)), len(os.listdir("/proc/self/task")), os.listdir("/tmp")]))
"""


@pytest.mark.bubblewrap
class TestKeeper:
    """Imports in real keepers."""

    pytestmark = needs_bubblewrap

    def test_all_boxes_to_come_have_them(self) -> None:
        """Without a thread that a fork would lose, and without a file; a module that is not installed is no matter."""
        bench = Bench(prelude=("import torch",))
        try:
            source = SEEN.format(modules=DYNAMO)
            before = bench.run(source).seen
            bench.keeper.import_ahead([*LAZY_IMPORTS, "nothing.of.that.name"])
            bench.keeper.import_ahead(DYNAMO)
            assert bench.run(source).seen == [DYNAMO, *before[1:]]
            assert before[0] == []
            step = "import torch\nw = torch.nn.Parameter(torch.ones(3))\ntorch.optim.Adam([w]).step()"
            started = "import time\nstarted = time.process_time()\n"
            ran = bench.run(f"{started}{step}\nprint(time.process_time() - started)")
            assert ran.seen < 0.5
        finally:
            bench.stop()
