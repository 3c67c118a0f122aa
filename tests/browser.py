"""The system's Chromium, without a network, for tests that look at a page as a person does."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
CHROMIUM = next((path for name in NAMES if (path := shutil.which(name))), None)
QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
# In CI nothing may be left out in silence: there these tests fail without a browser.
needs_chromium = pytest.mark.skipif(CHROMIUM is None and not os.environ.get("CI"), reason="Chromium is not installed")
PHONE, DESK = 390, 1000
PATIENCE_MS = 300_000  # a busy machine is no fault of a page


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Start a browser; a module's tests share one, since it takes a second to start."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET, timeout=PATIENCE_MS)
        yield browser
        browser.close()


@contextmanager
def open_page(
    browser: Browser, path: Path, *, width: int = DESK, dark: bool = False, touch: bool = False
) -> Iterator[Page]:
    """Open a file; leaving fails where the page asked for anything but itself, or its scripts said an error."""
    scheme: Literal["dark", "light"] = "dark" if dark else "light"
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme, has_touch=touch)
    context.set_default_timeout(PATIENCE_MS)
    asked = _forbid_network(context)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(path.absolute().as_uri())
    yield page
    context.close()
    assert asked == [path.absolute().as_uri()]
    assert said == []


def violations(page: Page) -> list[str]:
    """Return what axe-core finds wrong, each with where."""
    found = Axe().run(page).response["violations"]
    return [f"{rule['id']}: {node['target']} {node['failureSummary']}" for rule in found for node in rule["nodes"]]


def is_cut_off(page: Page) -> bool:
    """Whether a page is wider than its window, so that a phone scrolls sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


def _forbid_network(context: BrowserContext) -> list[str]:
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    context.route(lambda url: not url.startswith("file:"), lambda route: route.abort())
    return asked
