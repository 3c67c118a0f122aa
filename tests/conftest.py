"""What all tests share: their order, and what is dear to make."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let slow tests run first, so that in the end no worker waits for another's long test; else keep the order."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
