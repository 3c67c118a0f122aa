"""How large the page of a class of 2,000 is, and what a browser's main thread spends to open, sort and search it.

`python benchmarks/class_page.py` prints the median of five runs in a headless Chromium, in seconds of processor time,
which other work on the machine hardly changes. An answer within half a second does not interrupt whoever waits for it.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # the class is the tests', and the browser is opened as they do

from playwright.sync_api import Browser, CDPSession, Page

from autograder.grading.class_report import class_report, gather
from autograder.render.class_page import to_class_page
from tests.browser import open_browser
from tests.sample_reports import sample_class

STUDENTS = 2000
RUNS = 5
# The second frame after something was asked for begins when the first, in which it shows, is painted.
PAINTED = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
SORT = f"""async column => {{
  document.querySelectorAll("#class th button")[column].click();
  await {PAINTED};
}}"""
SEARCH = f"""async word => {{
  const search = document.getElementById("search");
  search.value = word;
  search.dispatchEvent(new Event("input"));
  await {PAINTED};
}}"""


def main() -> None:
    """Measure and print."""
    found = class_report(gather(sample_class(STUDENTS), lambda report: False))
    with tempfile.TemporaryDirectory() as folder, open_browser() as browser:
        path = Path(folder) / "index.html"
        path.write_text(to_class_page(found), encoding="utf-8")
        print(f"{STUDENTS} students: {path.stat().st_size / 1e6:.2f} MB")
        runs = [measured(browser, path.as_uri()) for _ in range(RUNS)]
    for what in runs[0]:
        print(f"{what}: {statistics.median(run[what] for run in runs):.2f} s")


def measured(browser: Browser, address: str) -> dict[str, float]:
    """Return the seconds that each thing takes on a page that is opened for it."""
    page = browser.new_page()
    clock = page.context.new_cdp_session(page)
    clock.send("Performance.enable", {"timeDomain": "threadTicks"})
    seconds = {
        "to open": taken(clock, lambda: opened(page, address)),
        "to sort by score": taken(clock, lambda: page.evaluate(SORT, 1)),
        "to sort by name": taken(clock, lambda: page.evaluate(SORT, 0)),
        "to search, a letter": taken(clock, lambda: page.evaluate(SEARCH, "k")),
        "to search, a word": taken(clock, lambda: page.evaluate(SEARCH, "kowalewskaja 1")),
    }
    page.close()
    return seconds


def opened(page: Page, address: str) -> None:
    """Open the page and wait until it is painted."""
    page.goto(address)
    page.evaluate(f"async () => {{ await {PAINTED}; }}")


def taken(clock: CDPSession, action: Callable[[], object]) -> float:
    """Return the processor time that an action costs the page's main thread."""
    before = busy_seconds(clock)
    action()
    return busy_seconds(clock) - before


def busy_seconds(clock: CDPSession) -> float:
    """Return what all tasks of the main thread have taken so far."""
    metrics = clock.send("Performance.getMetrics")["metrics"]
    return float(next(each["value"] for each in metrics if each["name"] == "TaskDuration"))


if __name__ == "__main__":
    main()
