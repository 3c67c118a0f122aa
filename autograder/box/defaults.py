"""Defaults of torch, numpy and Python that a cell may change, and that no answer is judged by."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy
import torch
from torch import _tensor_str


def _set_filters(filters: list[Any]) -> None:
    warnings.resetwarnings()
    warnings.filters.extend(filters)  # type: ignore[attr-defined]


# Each is read in less than a microsecond, so that they can be looked at before every call.
SETTINGS: tuple[tuple[Callable[[], Any], Callable[[Any], Any]], ...] = (
    (torch.get_num_threads, torch.set_num_threads),  # a sum in another order rounds differently
    (torch.get_float32_matmul_precision, torch.set_float32_matmul_precision),
    (torch.is_anomaly_enabled, torch.set_anomaly_enabled),
    (torch.are_deterministic_algorithms_enabled, torch.use_deterministic_algorithms),
    (lambda: vars(_tensor_str.PRINT_OPTS), lambda options: torch.set_printoptions(**options)),
    (numpy.geterr, lambda modes: numpy.seterr(**modes)),
    (numpy.get_printoptions, lambda options: numpy.set_printoptions(**options)),
    (sys.getrecursionlimit, sys.setrecursionlimit),
)


class Defaults:
    """The defaults as they are when this object is made; of torch's numbers always float32 on the CPU.

    Gradients are not among them: `gradients_on` is for those.
    """

    def __init__(self) -> None:
        self._before = [(get, put, _copied(get())) for get, put in SETTINGS]
        self._filters = [each for each in warnings.filters if each[0] != "error"]  # a warning fails no answer

    def put_back(self) -> None:
        """Make them so again."""
        if torch.get_default_dtype() is not torch.float32:
            torch.set_default_dtype(torch.float32)
        # Never by asking for the device: of one that this machine lacks that is an error.
        if torch._C._len_torch_function_stack():
            torch._GLOBAL_DEVICE_CONTEXT.device_context = None
            while torch._C._len_torch_function_stack():
                torch._C._pop_torch_function_stack()
        for get, put, value in self._before:
            if get() != value:
                put(value)
        if warnings.filters != self._filters:
            _set_filters(self._filters)


def _copied(value: Any) -> Any:
    return type(value)(value) if isinstance(value, dict | list) else value
