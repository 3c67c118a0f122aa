"""A probe is asked by any idiom that a network answers."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from autograder.box.models import Probe

X, T = torch.arange(6.0).reshape(3, 2), torch.tensor([0.25, 0.5, 0.75])


@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning")  # torch.func.jvp's own
@pytest.mark.parametrize(
    "idiom",
    [
        lambda f: f(X, T),
        lambda f: f(X, T[:, None]),
        lambda f: f(X, t=T),
        lambda f: f(t=T, x=X),
        lambda f: torch.vmap(lambda x, t: f(x[None], t[None])[0])(X, T),
        lambda f: torch.vmap(lambda x, t: f(x[None], t[None, None])[0])(X, T),
        lambda f: torch.vmap(lambda x, t: f(x, t), in_dims=(None, 0))(X, T.expand(2, 3))[1],
        lambda f: torch.func.vjp(f, X, T)[0],
        lambda f: torch.func.vjp(f, X, T)[1](X)[0] + f(X, T),
        lambda f: torch.func.jvp(f, (X, T), (X, T))[0],
        lambda f: sum(torch.func.jvp(f, (X, T), (X, T))),
        lambda f: torch.func.functional_call(f, dict(f.named_parameters()), (X, T)),
    ],
)
def test_probe_answers_any_idiom(idiom: Callable[[Any], Tensor]) -> None:
    """It asks with plain numbers, all rows at once, and its answer is a constant."""
    asked = []

    def ask(x: Tensor, t: Tensor) -> Tensor:
        assert not torch._C._functorch.is_functorch_wrapped_tensor(x)
        asked.append((x.detach().clone(), t.detach().clone()))
        return x.detach() * t.detach().reshape(-1, 1)

    torch.testing.assert_close(idiom(Probe(ask, ["x", "t"])).detach(), X * T[:, None])
    assert {len(x) for x, _ in asked} <= {3, 6}


def test_copy_in_double_precision_is_asked_and_answers_so() -> None:
    """The question travels in single precision, as the judge's networks have it."""
    probe = copy.deepcopy(Probe(lambda x, t: x * t[:, None], ["x", "t"])).double()
    answer = probe(X.double(), T.double())
    assert answer.dtype == torch.float64
    assert torch.equal(answer.float(), X * T[:, None])


def test_double_precision_is_not_for_a_network_in_single() -> None:
    """What a network would refuse reaches the judge as it is."""
    asked: list[Tensor] = []
    Probe(lambda x, t: asked.append(x) or X, ["x", "t"])(X.double(), T)
    assert asked[0].dtype == torch.float64


def test_probe_under_vmap_takes_no_single_rows() -> None:
    """As the notebook's networks, which need a batch."""
    with pytest.raises(TypeError, match="a batch in each of its arguments"):
        torch.vmap(Probe(lambda x, t: x, ["x", "t"]))(X, T)


@pytest.mark.parametrize("call", [lambda f: f(X), lambda f: f(X, T, T), lambda f: f(X, x=X), lambda f: f(X, s=T)])
def test_probe_is_asked_with_its_arguments_alone(call: Callable[[Any], Tensor]) -> None:
    """One that is missing, too many or of another name is the student's mistake, as with a network."""
    with pytest.raises(TypeError, match="a call takes x, t"):
        call(Probe(lambda x, t: x, ["x", "t"]))
