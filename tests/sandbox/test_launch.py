"""What a keeper does before its judge is there: it imports what the prelude will."""

from __future__ import annotations

import gc

import pytest

from autograder.sandbox.keeper import Keeper, Plan
from autograder.sandbox.launch import Launched, Place, imported_by
from autograder.system.imports import uncollected
from tests.boxes import COURSE, cell, needs_bubblewrap


@pytest.mark.parametrize(
    ("source", "modules"),
    [
        ("import torch, torch.nn.functional as F", ("torch", "torch.nn.functional")),
        ("from sklearn.datasets import make_moons", ("sklearn.datasets",)),
        ("import numpy as np\nimport numpy", ("numpy",)),
        ("from . import beside\nfrom .beside import name", ()),
        ("def later():\n    import slow", ()),
        ("try:\n    import tqdm\nexcept ImportError:\n    tqdm = None", ()),
        ("import torch\nthis is no Python", ()),
    ],
)
def test_modules_that_a_cell_imports_at_once(source: str, modules: tuple[str, ...]) -> None:
    """What a cell imports only where something is so, or later, or not at all for an error, is not imported ahead."""
    assert imported_by([source]) == modules


def test_modules_of_many_cells_come_once_and_in_order() -> None:
    """As the cells name them."""
    assert imported_by(["import b", "import a, b", "from b import c"]) == ("b", "a")


@pytest.mark.parametrize("isolation", [pytest.param("namespaces", marks=needs_bubblewrap), "process"])
def test_a_keeper_imports_ahead_what_it_can(isolation: str) -> None:
    """A module that is not there, or breaks, is left for the prelude to say; and boxes collect garbage again."""
    ahead = Launched(Place(isolation, COURSE, imports=("no_such_module", "this.is.none", "wave")))
    keeper = Keeper(Plan(isolation, COURSE, prelude=())).start(ahead)
    source = "import gc, sys\nassert 'wave' in sys.modules\nassert gc.isenabled()"
    try:
        with keeper.open_box() as box:
            assert box.request(cell(source, 10.0), 10.0).failure is None
    finally:
        keeper.stop()


@pytest.mark.parametrize("enabled", [True, False])
def test_the_collector_is_off_for_a_while(enabled: bool) -> None:
    """Then it is as it was, and what was made is not looked at again."""
    before = gc.isenabled()
    try:
        (gc.enable if enabled else gc.disable)()
        gc.unfreeze()
        with uncollected():
            assert not gc.isenabled()
            made: list[object] = [[]]
        assert gc.isenabled() is enabled
        assert not any(found is made for found in gc.get_objects())
    finally:
        gc.unfreeze()
        (gc.enable if before else gc.disable)()
