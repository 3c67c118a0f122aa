"""Imports without the garbage collector.

What an import makes stays. A collector that looks for garbage in it, again and again while it grows, takes a seventh of
the time that torch and its like need to be imported, and as long again when the interpreter ends.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


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
