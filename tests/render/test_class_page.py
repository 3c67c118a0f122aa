"""The page of a class: right facts, no name where none is wanted, and in a browser what a teacher does with it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Locator, Page

from autograder.grading.class_report import gather
from autograder.render.class_page import to_class_page
from autograder.report import GRADER_ERROR, Report
from autograder.system.file_names import file_name
from tests.browser import DESK, PHONE, is_cut_off, needs_chromium, open_browser, open_page, violations
from tests.fake_class import HOSTILE_NAMES
from tests.nbgrader_courses import report_of
from tests.sample_reports import HOSTILE, graded, is_plain, sample_class

MANY = 2000
PAPER = 960  # pixels of 1/96 inch: a landscape Letter, the narrower one, 11 inches without its margins
NAMES = [HOSTILE.replace("\ud800", ""), *HOSTILE_NAMES]  # a student's name has no halves of letters


def page_of(reports: Iterator[Report] | list[Report], *, anonymous: bool = False, **known: int) -> str:
    """Return the page of a class."""
    return to_class_page(replace(gather(reports, lambda report: False), **known), anonymous=anonymous)


def words(page: str) -> str:
    """Return a page's words without tags, script and style."""
    return " ".join(re.sub(r"<(style|script)>.*?</\1>|<[^>]*>", " ", page, flags=re.DOTALL).split())


def test_class_page_counts_what_is_to_be_looked_at() -> None:
    """Who handed nothing in, who cannot be read, what was changed, which limits were met, and by how many."""
    text = words(page_of(sample_class(60), left_over=2, broken=1))
    for part in (
        "graded 57 students", "unreadable 1 student", "nothing handed in 2 students",
        "given cells were changed; the originals were used 9 students", "n = 57, median ", "too slow ",
        "2 more reports are left over", "1 file in the folder could not be read", "swapped weights",
        "It seems to be the swapped_weights, at 0.5.",
    ):  # fmt: skip
        assert part in text, part


def test_class_page_of_few_shows_counts_and_no_correlation() -> None:
    """Five students: n, the range, and no number that five cannot tell."""
    page = page_of(sample_class(5))
    assert "n = 5, median " in page
    assert re.search(r"<svg[^>]*scatter", page) is None
    assert "95 % interval" in page  # how it would be shown
    assert not re.search(r"−?0\.\d\d <span", page)


def test_class_page_of_nothing_is_a_page() -> None:
    """A class of whom nobody could be marked has no figure and no fault."""
    page = page_of([graded(status=GRADER_ERROR, reason="Ours.")])
    assert "No submission could be marked." in page
    assert "grader error" in page


def test_class_page_of_hostile_text_is_inert() -> None:
    """Names are text, links are addresses, and the one script is ours."""
    page = page_of(sample_class(30, NAMES))
    assert page.count("<script>") == 1
    assert is_plain(page)
    links = set(re.findall(r'href="([^"#]+)"', page))
    assert f"{quote(file_name(NAMES[0]))}.html" in links
    assert all(re.fullmatch(r"[\w%.~-]+\.html", link) for link in links)


def test_anonymous_page_is_the_same_whatever_the_names() -> None:
    """Byte for byte: so it holds no name, nothing made of one, and not the place that a name has in the class."""
    size = 60
    plain = page_of(sample_class(size, (f"{place:03}" for place in range(size))), anonymous=True)
    backwards = sample_class(size, [*NAMES, *(f"{size - place:03}" for place in range(size))])
    assert page_of(sorted(backwards, key=lambda report: report.student), anonymous=True) == plain
    assert re.findall(r'href="([^#"][^"]*)"', plain) == []
    assert "graded 57 students" in words(plain)


# --- in a browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Return the browser of this module."""
    with open_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the page of a class of 30."""
    path = tmp_path_factory.mktemp("class") / "index.html"
    path.write_text(page_of(sample_class(30)), encoding="utf-8")
    return path


def shown(page: Page) -> Locator:
    """Return the rows of the table that can be seen."""
    return page.locator("#class tbody tr:visible")


@needs_chromium
@pytest.mark.parametrize(("width", "dark"), [(PHONE, True), (DESK, False)], ids=["phone-dark", "desk-light"])
def test_class_page_is_accessible(browser: Browser, path: Path, width: int, dark: bool) -> None:
    """axe-core finds nothing, nothing is cut off, and nothing is asked of a network."""
    with open_page(browser, path, width=width, dark=dark) as page:
        for summary in page.locator("summary").all():
            summary.click()
        assert violations(page) == []
        assert not is_cut_off(page)


@needs_chromium
def test_class_page_sorts_by_keyboard_and_says_so(browser: Browser, path: Path) -> None:
    """A heading's button sorts by numbers, the second time the other way; aria-sort says which way."""
    with open_page(browser, path) as page:
        head = page.locator("#class th", has_text="Score")
        head.get_by_role("button").focus()
        for direction, sign in (("ascending", 1), ("descending", -1)):
            page.keyboard.press("Enter")
            assert head.get_attribute("aria-sort") == direction
            assert page.locator("[aria-sort]").count() == 1
            scores = [float(text) for text in page.locator("#class tbody tr td:nth-child(2)").all_inner_texts()]
            assert scores == sorted(scores, key=lambda score: sign * score)


@needs_chromium
def test_class_page_finds_who(browser: Browser, path: Path) -> None:
    """A search knows no accents and no capitals; a number of students leads to them; the count is read out."""
    with open_page(browser, path) as page:
        page.get_by_label("Name").fill("MULLER")
        assert shown(page).count() > 0
        assert all("Müller" in text for text in shown(page).locator("th").all_inner_texts())
        link = page.locator("#look + table a", has_text="student").last
        expected = int(link.inner_text().split()[0])
        link.focus()
        page.keyboard.press("Enter")
        assert shown(page).count() == expected
        assert page.locator("output").inner_text() == f"{expected} of 30 students"
        assert page.evaluate("document.activeElement.id") == "show"


@needs_chromium
def test_class_page_prints_the_whole_table(browser: Browser, path: Path) -> None:
    """On paper the table is not cut to a window, and what only a screen can do is gone."""
    with open_page(browser, path, dark=True) as page:
        page.emulate_media(media="print")
        box = page.locator(".tall")
        assert box.evaluate("box => box.scrollHeight <= box.clientHeight + 1")
        assert not page.locator("#tools").is_visible()


@needs_chromium
def test_class_page_of_all_tasks_fits_on_paper(browser: Browser, tmp_path: Path) -> None:
    """The page asks for landscape, and the tasks of the assignment are beside one another there."""
    path = tmp_path / "index.html"
    path.write_text(page_of([report_of(report.student) for report in sample_class(30)]), encoding="utf-8")
    with open_page(browser, path, width=PAPER) as page:
        page.emulate_media(media="print")
        assert not is_cut_off(page)
        width, height = map(
            float, re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)", page.pdf(prefer_css_page_size=True))[0]
        )
        assert width > height


@needs_chromium
def test_class_page_of_two_thousand_is_small_and_works(browser: Browser, tmp_path: Path) -> None:
    """A large course is one page of less than a megabyte, which sorts and searches."""
    path = tmp_path / "index.html"
    path.write_text(page_of(sample_class(MANY)), encoding="utf-8")
    assert path.stat().st_size < 1_000_000
    with open_page(browser, path) as page:
        assert page.locator("output").inner_text() == f"{MANY} of {MANY} students"
        page.locator("#class th", has_text="Score").get_by_role("button").click()
        page.get_by_label("Name").fill("kowalewskaja 1")
        assert 0 < shown(page).count() < MANY / 7
