"""Runs trusted cells without importing what they only name.

The prelude imports scikit-learn and matplotlib, a second of every cold start. The judge needs its definitions, not its
figures or data: while cells run under `imports_later`, these packages are stand-ins, and what a cell takes from them
imports the real thing when it is called.
"""

import gc
import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

PACKAGES = ("matplotlib", "sklearn")


class Later:
    """Stands for `module.name`; calling it or asking it for an attribute imports the module."""

    def __init__(self, module: str, name: str) -> None:
        self._module = module
        self._name = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the real thing."""
        return self._real()(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real(), name)

    def _real(self) -> Any:
        return getattr(importlib.import_module(self._module), self._name)


class _StandIn(ModuleType):
    """Stands for a module; under `import a.b as c` a cell keeps it, and it turns to the real one later."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is self:
            return Later(self.__name__, name)
        return getattr(importlib.import_module(self.__name__), name)


class _Finder(MetaPathFinder, Loader):
    """Finds stand-ins for the packages and whatever lies in them."""

    def find_spec(self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> Any:
        """Return a spec for a module of these packages."""
        return ModuleSpec(fullname, self, is_package=True) if fullname.split(".")[0] in PACKAGES else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return the stand-in."""
        return _StandIn(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: that is the point."""


@contextmanager
def imports_later() -> Iterator[None]:
    """Let imports of these packages give stand-ins, unless the real ones are there already."""
    finder = _Finder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name, module in sys.modules.items() if isinstance(module, _StandIn)]:
            del sys.modules[name]


@contextmanager
def uncollected() -> Iterator[None]:
    """Switch the collector off, and let it never look at what has been made until now."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if enabled:
            gc.enable()


@contextmanager
def without(package: str) -> Iterator[None]:
    """Let imports of an optional package fail, unless it is imported already."""
    absent = package not in sys.modules
    if absent:
        sys.modules[package] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if absent:
            del sys.modules[package]
