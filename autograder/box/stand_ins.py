"""Functions that ask the judge in place of a student's own, which has lost its points by itself: no other task pays.

There is one: noisy_sample, which answers of other tasks may call. A question of it is one about a model, at
(x_0, epsilon) side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from autograder.box.models import asked

_MISSING = object()


class StandIns:
    """Puts them into a namespace; `ask` takes the tensors x, (B, 2 D), and t and returns the judge's answer, (B, D)."""

    def __init__(self, namespace: dict[str, Any], ask: Callable[[Any, Any], Tensor]) -> None:
        self._namespace = namespace
        self._ask = ask
        self._made: dict[str, Callable[..., Any]] = {}
        self._own: dict[str, Any] = {}

    def add(self, name: str) -> None:
        """Stand in for a function in every cell and call from now on."""
        self._made[name] = self._asking(name)

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

    def _asking(self, name: str) -> Callable[..., Any]:
        def function(*arguments: Any, **keywords: Any) -> Any:
            try:
                return self._mixture(*arguments, **keywords)
            except (TypeError, ValueError, RuntimeError, AttributeError):
                # Called in a way of the student's own, that no other function knows.
                return self._own[name](*arguments, **keywords)

        return function

    def _mixture(self, x_0: Any, epsilon: Any, t: Any) -> Tensor:
        level = t if isinstance(t, Tensor) else torch.tensor(float(t))
        return asked(self._ask, torch.cat((x_0, epsilon), dim=-1), level if level.dim() else level.expand(len(x_0)))
