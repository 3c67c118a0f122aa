"""The student's page as a person meets it: on a phone and a desk, light, dark and on paper, by keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from autograder.render.html import to_html
from autograder.render.markdown import to_markdown
from autograder.report import Notice
from tests.browser import DESK, PHONE, is_cut_off, needs_chromium, open_browser, open_page, violations
from tests.sample_reports import FIGURES, HOSTILE, check, graded, hostile

pytestmark = needs_chromium
MIB = 1 << 20


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Return the browser of this module."""
    with open_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the page of a report with every figure, and a task of each outcome."""
    ordinary = graded("Ada Lovelace", figures=FIGURES)
    quality = replace(ordinary.tasks[0], id="sample_quality", title="The quality of one jump")
    path = tmp_path_factory.mktemp("page") / "ada.html"
    path.write_text(to_html(replace(ordinary, tasks=(*ordinary.tasks, quality))), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def hostile_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the page of a report whose every text is hostile, and without end."""
    endless = HOSTILE + "<svg onload=alert(1)><p>" * (MIB // 8) + "x" * MIB
    task = replace(hostile().tasks[0], checks=(check("values", HOSTILE, "1"), *hostile().tasks[0].checks))
    lost = tuple(replace(check, message=endless) for check in task.checks)
    report = graded(
        endless, reason=endless, file=endless, tasks=(replace(task, checks=lost),),
        warnings=tuple(Notice("odd", endless, endless) for _ in range(500)),
    )  # fmt: skip
    path = tmp_path_factory.mktemp("page") / "hostile.html"
    path.write_text(to_html(report), encoding="utf-8")
    assert len(to_markdown(report).encode()) < MIB  # what GitHub takes of a job's summary
    return path


@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_report_page_is_accessible(browser: Browser, report: Path, width: int, dark: bool) -> None:
    """axe-core finds nothing, nothing is cut off, and nothing is asked of a network."""
    with open_page(browser, report, width=width, dark=dark) as page:
        assert violations(page) == []
        assert not is_cut_off(page)


def test_report_page_of_endless_hostile_text_is_small_and_inert(browser: Browser, hostile_report: Path) -> None:
    """Megabytes in every text: a page of a hundred kilobytes that runs nothing, fits a phone and is accessible."""
    assert hostile_report.stat().st_size < 200_000
    with open_page(browser, hostile_report, width=PHONE) as page:
        assert page.evaluate("document.scripts.length + document.querySelectorAll('[onload], img, iframe').length") == 0
        assert not is_cut_off(page)
        assert violations(page) == []


def test_report_page_works_by_keyboard(browser: Browser, report: Path) -> None:
    """The first key leads past the head, what holds opens by Enter, and where one is can be seen."""
    with open_page(browser, report) as page:
        page.keyboard.press("Tab")
        assert focused(page) == "Skip to the report"
        assert page.locator(".skip").bounding_box()["x"] >= 0  # type: ignore[index]
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        for _ in range(20):
            page.keyboard.press("Tab")
            assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
            if page.evaluate("document.activeElement.tagName") == "SUMMARY":
                break
        assert focused(page) == "All 3 checks hold"
        assert not page.get_by_text("Each row uses its own t").first.is_visible()
        page.keyboard.press("Enter")
        assert page.get_by_text("Each row uses its own t").first.is_visible()


def test_report_page_prints_everything(browser: Browser, report: Path) -> None:
    """On paper what is folded is open, the ground is white also in the dark, and the link past the head is gone."""
    with open_page(browser, report, dark=True) as page:
        page.emulate_media(media="print")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert page.get_by_text("Each row uses its own t").first.bounding_box()["height"] > 0  # type: ignore[index]
        assert not page.locator(".skip").is_visible()


def focused(page: Page) -> str:
    """Return the text of what the keyboard is at."""
    return str(page.evaluate("document.activeElement.innerText"))
