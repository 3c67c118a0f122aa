"""Functions that ask the judge in place of a student's own, which has lost its points by itself: no other task pays.

They take tensors; one number in the place of a tensor stands for one a row.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
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
        self._made: dict[str, Callable[..., Any]] = {}
        self._own: dict[str, Any] = {}

    def add(self, name: str, parameters: list[str]) -> None:
        """Stand in for a function in every cell and call from now on."""
        self._made[name] = self._asking(name, parameters)

    def put(self) -> None:
        """Take the places of the functions, wherever these were defined since."""
        for name, function in self._made.items():
            if name in self._namespace and self._namespace[name] is not function:
                self._own[name], self._namespace[name] = self._namespace[name], function

    @contextmanager
    def put_for_a_call(self) -> Generator[None]:
        """Take the places, and give them back: a kernel's namespace is the student's, and lives on."""
        before = {name: self._namespace.get(name, _MISSING) for name in self._made}
        self.put()
        try:
            yield
        finally:
            self._namespace.update({name: value for name, value in before.items() if value is not _MISSING})

    def _asking(self, name: str, parameters: list[str]) -> Callable[..., Any]:
        def function(*arguments: Any, **keywords: Any) -> Any:
            try:
                given = [_tensor(value) for value in in_order(parameters, arguments, keywords)]
                rows = next((len(value) for value in given if value.dim()), 0)
                return asked(partial(self._ask, name), *(v if v.dim() else v.expand(rows) for v in given))
            except (TypeError, ValueError, RuntimeError, AttributeError):
                # Called in a way of the student's own, that no other function knows.
                return self._own[name](*arguments, **keywords)

        return function


def _tensor(value: Any) -> Tensor:
    return value if isinstance(value, Tensor) else torch.tensor(float(value))
