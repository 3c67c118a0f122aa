"""What a cell sets for the whole process is no part of any answer: each call finds the defaults as they were."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from autograder.box.answerer import Answerer
from autograder.box.defaults import Defaults
from autograder.box.messages import Call, CallFunction, CallRounds, Evaluate, Model, RunCell
from tests.boxes import Bench, needs_bubblewrap

# What a cell may set, and what a function sees of it.
SEEN = [
    ("torch.set_default_dtype(torch.float64)", "str(torch.zeros(1).dtype)"),
    ("torch.set_default_device('meta')", "str(torch.zeros(1).device)"),
    ("torch.device('meta').__enter__()", "str(torch.zeros(1).device)"),
    ("torch.set_grad_enabled(False)", "torch.is_grad_enabled()"),
    ("torch.autograd.set_detect_anomaly(True)", "torch.is_anomaly_enabled()"),
    ("torch.use_deterministic_algorithms(True)", "torch.are_deterministic_algorithms_enabled()"),
    ("torch.set_float32_matmul_precision('medium')", "torch.get_float32_matmul_precision()"),
    ("torch.set_num_threads(torch.get_num_threads() + 1)", "torch.get_num_threads()"),
    ("torch.set_printoptions(precision=1, sci_mode=True)", "str(torch.tensor(1.2345))"),
    ("import numpy; numpy.set_printoptions(precision=1)", "str(numpy.ones(1) / 3)"),
    (
        "import numpy; numpy.seterr(all='raise')",
        "float(numpy.ones(1) @ (numpy.float32([1e-30]) * numpy.float32(1e-30)))",
    ),
    ("import warnings; warnings.simplefilter('error')", "str(warnings.filters[0])"),
    ("import sys; sys.setrecursionlimit(150)", "sys.getrecursionlimit()"),
]
FUNCTION = "import numpy, sys, torch, warnings\ndef f(*_):\n    return {}"


@pytest.fixture(autouse=True)
def kept() -> Iterator[None]:
    """Leave this process as it was."""
    defaults = Defaults()
    yield
    defaults.put_back()
    torch.set_grad_enabled(True)


def answerer(*cells: str) -> Answerer:
    """Return what answers calls after these cells."""
    found = Answerer({}, lambda _: None)
    for number, source in enumerate(cells, 1):
        assert found.run_cell(RunCell(number, source.encode(), 10.0)).failure is None
    return found


@pytest.mark.parametrize(("setting", "seen"), SEEN)
def test_a_call_finds_the_defaults_as_they_were(setting: str, seen: str) -> None:
    """Alone or in rounds, whatever a cell has set."""
    before = answerer(FUNCTION.format(seen)).answer(CallFunction("f", [], {})).value
    after = answerer(FUNCTION.format(seen), setting)
    assert after.answer(CallFunction("f", [], {})).value == before
    after = answerer(FUNCTION.format(seen), setting)
    assert after.answer(CallRounds([Call("f", ())], 1, [])).found == [[before]]


POINT = torch.ones(1, 1), torch.ones(1)
NETWORK = Model("Affine", torch.ones(3), {"dimension": 1})


@pytest.mark.parametrize("setting", [setting for setting, _ in SEEN[:4]])
def test_a_network_is_built_and_called_under_them_too(setting: str) -> None:
    """In single precision, on the CPU, and of ordinary tensors."""
    after = answerer("import torch", setting, "def f(model):\n    return model.weight.detach().clone()")
    assert torch.equal(after.answer(CallFunction("f", [NETWORK], {})).value, torch.ones(1, 1))
    answerer("import torch", setting)
    found = after.answer(Evaluate(NETWORK, list(POINT)))
    assert found.value.tolist() == [[3.0]]


def test_inference_mode_ends_for_a_call() -> None:
    """A cell that has entered it has not left it for what is asked next."""
    after = answerer("import torch", "def f(model):\n    return torch.is_inference_mode_enabled()")
    with torch.inference_mode():
        assert after.answer(CallFunction("f", [NETWORK], {})).value is False
        assert after.answer(CallRounds([Call("f", (NETWORK,))], 1, [])).found == [[False]]


@pytest.mark.bubblewrap
class TestDevice:
    """An accelerator that a box does not have."""

    pytestmark = needs_bubblewrap

    @pytest.mark.parametrize("device", ["'cuda'", "'cuda:0'", "'mps'", "torch.device('cuda', 0)", "device='cuda'"])
    def test_as_a_default_it_costs_nothing(self, device: str) -> None:
        """Neither what stands below it in the cell, nor later cells, nor calls."""
        bench = Bench()
        try:
            setting = f"import torch\ntorch.set_default_device({device})\nx = torch.ones(1)\nprint(x.device.type)\n"
            ran = bench.run(setting)
            assert (ran.kind, ran.output) == (None, "cpu\n")
            reply, _ = bench.call(setting + "def f(model): return torch.ones(1)")
            assert reply.value.tolist() == [1.0]
        finally:
            bench.stop()
