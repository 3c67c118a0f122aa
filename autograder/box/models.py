"""The models that the judge hands to a student's functions: probes, affine maps, and the notebook's own classes."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch._C._functorch import is_functorch_wrapped_tensor
from torch.nn.modules.module import register_module_module_registration_hook
from torch.nn.utils import vector_to_parameters

from autograder.box.messages import Model, ModelState

_holders: WeakKeyDictionary[nn.Module, list[dict[str, nn.Parameter | None]]] = WeakKeyDictionary()
# A module that is put into another one may replace a part of a model that was walked already.
register_module_module_registration_hook(lambda *_: _holders.clear())


class Affine(nn.Module):
    """f(x, t) = x W + b + t c for x (B, D) and t (B,) or (B, 1): every derivative has a closed form."""

    def __init__(self, dimension: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(dimension, dimension))
        self.bias = nn.Parameter(torch.zeros(dimension))
        self.slope = nn.Parameter(torch.zeros(dimension))

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        """Return (B, D)."""
        return x @ self.weight + self.bias + t.reshape(-1, 1) * self.slope


class Probe(nn.Module):
    """A model whose every call is answered by the judge; it has a parameter, as a network has."""

    def __init__(self, ask: Callable[..., Tensor], parameters: Sequence[str]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))
        self._ask = ask
        self._names = parameters

    @property
    def device(self) -> torch.device:
        """Where a network of the notebook would live."""
        return self.weight.device

    def forward(self, *arguments: Any, **keywords: Any) -> Tensor:
        """Ask the judge; the answer depends on a parameter, so a forgotten no_grad shows."""
        given = in_order(self._names, arguments, keywords)
        if self.weight.dtype == torch.float64:  # as a copy made by `.double()` is asked, and answers
            answer = asked(self._ask, *map(_single, given)).double()
        else:
            answer = asked(self._ask, *given)
        return answer + 0.0 * self.weight


def in_order(names: Sequence[str], arguments: tuple[Any, ...], keywords: dict[str, Any]) -> list[Any]:
    """Return the arguments of a call by their places; raises TypeError unless it has each of these names once."""
    rest = names[len(arguments) :]
    if len(arguments) > len(names) or keywords.keys() != set(rest):
        raise TypeError(f"a call takes {', '.join(names)}")
    return [*arguments, *(keywords[name] for name in rest)]


def _single(value: Any) -> Any:
    """Return a tensor of double precision in single, anything else as it is."""
    return value.float() if isinstance(value, Tensor) and value.dtype == torch.float64 else value


class _Question(torch.autograd.Function):
    """A question under torch.func, whose tensors hold no numbers that could be sent: it is asked below them.

    The answer is a constant, as it is without them. All rows of a torch.vmap are one question.
    """

    @staticmethod
    def forward(ask: Callable[..., Tensor], *arguments: Any) -> Tensor:
        return ask(*arguments)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        ctx.like = inputs[1:]
        ctx.answer = output

    @staticmethod
    def backward(ctx: Any, *_: Any) -> Any:
        return None, *(torch.zeros_like(value) if isinstance(value, Tensor) else None for value in ctx.like)

    @staticmethod
    def jvp(ctx: Any, *_: Any) -> Any:
        return torch.zeros_like(ctx.answer)

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, ...], ask: Any, *arguments: Any) -> tuple[Tensor, int]:
        rows = info.batch_size
        given = [
            value.expand(rows, *value.shape) if where is None else value.movedim(where, 0)
            for value, where in zip(arguments, in_dims[1:], strict=False)
        ]
        if any(value.dim() < 2 for value in given):
            raise TypeError("a call under vmap takes a batch in each of its arguments")
        answer = _ask_below(ask, *(value.flatten(0, 1) for value in given))
        return answer.unflatten(0, given[0].shape[:2]), 0


def asked(ask: Callable[..., Tensor], *arguments: Any) -> Tensor:
    """Return the answer to a question, also under a transform of torch.func."""
    if any(isinstance(value, Tensor) and is_functorch_wrapped_tensor(value) for value in arguments):
        return _ask_below(ask, *arguments)
    return ask(*arguments)


def _ask_below(ask: Callable[..., Tensor], *arguments: Any) -> Tensor:
    answer: Tensor = _Question.apply(ask, *arguments)  # type: ignore[no-untyped-call]
    return answer


def gradients_on() -> AbstractContextManager[None]:
    """Let a call find gradients switched on; what it leaves of that ends with it, for that is one function's fault."""
    return torch.inference_mode(False)


def build_model(described: Model, classes: dict[str, Any]) -> nn.Module:
    """Return the described model; `classes` holds those of the prelude."""
    kind = Affine if described.kind == "Affine" else classes[described.kind]
    model: nn.Module = kind(**described.options)
    load_state(model, described.state)
    for parameter in model.parameters():
        parameter.requires_grad_(described.requires_grad)
    return model.train(described.training)


def parameters_of(model: nn.Module) -> list[nn.Parameter]:
    """Return all parameters as they are now, in the order of model.parameters().

    The modules are walked once a model: in a training the walk would cost as much as the student's own mathematics.
    """
    if model not in _holders:
        _holders[model] = [module._parameters for module in model.modules()]
    return [parameter for holder in _holders[model] for parameter in holder.values() if parameter is not None]


def load_state(model: nn.Module, state: Any) -> None:
    """Copy a state dict, or all parameters as one vector, into a new model, without a trace in autograd."""
    if isinstance(state, Tensor):
        vector_to_parameters(state.clone(), parameters_of(model))  # which become views of it
        return
    with torch.no_grad():
        for name, value in model.state_dict(keep_vars=True).items():
            value.copy_(state[name])


def set_flags(model: nn.Module, requires_grad: bool) -> None:
    """Make all parameters ask for a gradient, or none of them."""
    for parameter in parameters_of(model):
        if parameter.requires_grad is not requires_grad and parameter.is_leaf:
            parameter.requires_grad_(requires_grad)


def vector_of(model: nn.Module, what: str) -> Tensor | None:
    """Return the "weights" or the "gradient" of all parameters as one vector; None where a gradient is missing."""
    parameters = parameters_of(model)
    values = parameters if what == "weights" else [parameter.grad for parameter in parameters]
    with torch.no_grad():
        found = [value.reshape(-1) for value in values if value is not None]
        return torch.cat(found) if len(found) == len(values) else None


def describe_model(model: nn.Module, before: dict[str, int]) -> ModelState:
    """Return what the judge wants to know of a model after a call; `before` maps names to ids of parameters."""
    parameters = dict(model.named_parameters())
    return ModelState(
        state={name: value.detach().clone() for name, value in model.state_dict().items()},
        requires_grad={name: p.requires_grad for name, p in parameters.items()},
        grad={name: None if p.grad is None else p.grad.detach().clone() for name, p in parameters.items()},
        graph=any(p.grad_fn is not None for p in parameters.values()),
        replaced=any(id(p) != before.get(name) for name, p in parameters.items()),
    )
