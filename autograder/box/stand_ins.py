"""Functions that ask the judge in place of a student's own, which has lost its points by itself: no other task pays.

They take tensors; one number in the place of a tensor stands for one a row. A function of the student's is found under
whatever name it was kept: its code is exchanged, beside what its own name holds.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from functools import partial
from types import CodeType, FunctionType
from typing import Any

import torch
from torch import Tensor

from autograder.box.models import asked, in_order

_MISSING = object()


class StandIns:
    """Puts them into a namespace; `ask` takes a function's name and its arguments and returns the judge's answer."""

    def __init__(self, namespace: dict[str, Any], ask: Callable[..., Tensor]) -> None:
        self._namespace = namespace
        self._ask = ask
        self._parameters: dict[str, list[str]] = {}

    def add(self, name: str, parameters: list[str]) -> None:
        """Stand in for a function in every call from now on."""
        self._parameters[name] = parameters

    @contextmanager
    def put_for_a_call(self) -> Generator[None]:
        """Take the places, and give them back: a kernel's namespace is the student's, and lives on."""
        before = {name: self._namespace.get(name, _MISSING) for name in self._parameters}
        codes = [self._put(name, own) for name, own in before.items()]
        try:
            yield
        finally:
            for name, own in before.items():
                if own is _MISSING:
                    self._namespace.pop(name, None)
                else:
                    self._namespace[name] = own
            for function, code in filter(None, codes):
                function.__code__ = code

    def _put(self, name: str, own: Any) -> tuple[FunctionType, CodeType] | None:
        """Take one place; return the student's function and its code where that was exchanged."""
        if type(own) is not FunctionType:
            self._namespace[name] = self._asking(name, own)
            return None
        code = own.__code__
        kept = FunctionType(code, own.__globals__, own.__name__, own.__defaults__, own.__closure__)
        kept.__kwdefaults__ = own.__kwdefaults__
        self._namespace[name] = own.__globals__[_hidden(name)] = self._asking(name, kept)
        with suppress(ValueError):  # it has variables of an outer function: other names lead to it as it is
            own.__code__ = _calling(_hidden(name))
            return own, code
        return None

    def _asking(self, name: str, own: Any) -> Callable[..., Any]:
        def function(*arguments: Any, **keywords: Any) -> Any:
            try:
                given = [_tensor(value) for value in in_order(self._parameters[name], arguments, keywords)]
                rows = next((len(value) for value in given if value.dim() > 1), 0)
                return asked(partial(self._ask, name), *(_one_a_row(value, rows) for value in given))
            except (TypeError, ValueError, RuntimeError, AttributeError):
                if own is _MISSING:
                    raise NameError(f"name '{name}' is not defined") from None
                # Called in a way of the student's own, that no other function knows.
                return own(*arguments, **keywords)

        return function


def _hidden(name: str) -> str:
    return f"__stands_in_for_{name}"


def _calling(name: str) -> CodeType:
    """Return the code of a function that passes all that it is called with to what a global name holds."""
    made: dict[str, Any] = {}
    exec(f"def function(*arguments, **keywords): return {name}(*arguments, **keywords)", made)
    code: CodeType = made["function"].__code__
    return code


def _tensor(value: Any) -> Tensor:
    return value if isinstance(value, Tensor) else torch.tensor(float(value))


def _one_a_row(value: Tensor, rows: int) -> Tensor:
    """Return one number, in whatever shape, as one for each row; any other tensor as it is."""
    alone = value.numel() == 1 and (value.dim() < 2 or (value.dim() == 2 and rows > 1))
    return value.reshape(1).expand(rows) if alone else value
