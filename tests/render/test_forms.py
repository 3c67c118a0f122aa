"""Every form of a report: right facts, and nothing in a student's text that its reader would obey."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from fractions import Fraction
from html.parser import HTMLParser

import pytest
from rich.console import Console, RenderableType

from autograder.render.gradescope import to_gradescope
from autograder.render.html import to_html
from autograder.render.junit import to_junit
from autograder.render.markdown import to_markdown
from autograder.render.terminal import class_table, report_table
from autograder.report import GRADER_ERROR, UNREADABLE, CheckResult, Report, TaskResult
from autograder.verdict import Status
from tests.sample_reports import FIGURES, HOSTILE, graded, hostile, is_plain

FORMS = (to_html, to_junit, to_markdown, Report.to_json, lambda report: json.dumps(to_gradescope(report)))
VOID = {"meta", "br", "link", "img", "input", "hr"}


class Page(HTMLParser):
    """Reads a page: its tags, its attributes, its visible text, and whether tags nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.seen: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.seen.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.seen).split())


def printed(part: RenderableType, *, terminal: bool = False) -> str:
    """Return what a console shows of a table, on a pipe or in a terminal."""
    file = io.StringIO()
    Console(file=file, width=100, force_terminal=terminal, markup=False, emoji=False, highlight=False).print(part)
    return file.getvalue()


# --- the page


def test_to_html_says_what_was_checked_and_what_to_do() -> None:
    """Score, titles of checks, verdicts, hints and notices are all on the page."""
    text = Page(to_html(graded("Ada Lovelace"))).text
    for part in (
        "Ada Lovelace", "22 of 50 points", "The EMA update of the target", "4 / 16",
        "The target moves to the weighted mean: wrong value", "The two weights look exchanged",
        "Each row uses its own t: holds", "not attempted", "bonus", "too slow",
        "cell test_noisy_sample: A given cell was changed", "9f86d081884c7d65",
    ):  # fmt: skip
        assert part in text


def test_to_html_is_self_contained_and_labelled() -> None:
    """No script, nothing from outside, a language, landmarks, and every section named by a heading."""
    page = Page(to_html(graded()))
    assert page.open == []
    assert not {"script", "link", "img", "iframe", "object", "form"} & set(page.tags)
    assert not {"src", "action", "onclick"} & {name for name, _ in page.attributes}
    assert {"header", "main", "footer", "h1", "h2"} <= set(page.tags)
    assert page.tags.count("main") == 1
    ids = {value for name, value in page.attributes if name == "id"}
    named = {value for name, value in page.attributes if name == "aria-labelledby"}
    assert named
    assert named <= ids
    assert {value for name, value in page.attributes if name == "href"} <= {f"#{id}" for id in ids}
    assert ("lang", "en") in page.attributes


def luminance(colour: str) -> float:
    """Return the relative luminance of #rrggbb or #rgb (WCAG 2.2)."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", [0, 1, 2], ids=["light", "dark", "print"])
def test_to_html_has_contrast_in_every_theme(theme: int) -> None:
    """Text on each of its grounds reaches 4.5 : 1, which WCAG 2.2 AA asks for."""
    block = re.findall(r":root \{(.*?)\}", to_html(graded()), re.DOTALL)[theme]
    colours = dict(re.findall(r"--(\w+): (#\w+);", block))
    for text in ("ink", "soft", "held", "lost", "part", "open", "fill"):
        for ground in ("page", "card") + (("hint",) if text == "ink" else ()):
            light, dark = sorted((luminance(colours[text]), luminance(colours[ground])), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (text, ground)


def test_to_html_escapes_and_bounds_hostile_text() -> None:
    """A hostile report has the same tags as a harmless one of its shape, and an end."""
    text = to_html(hostile())
    page = Page(text)
    assert "script" not in page.tags
    assert page.open == []
    assert is_plain(text)
    assert text.encode("utf-8").decode("utf-8") == text
    assert "{{ 7 * 7 }}" in page.text
    assert "and 460 more of this kind" in page.text
    assert len(text) < 100_000


def test_to_html_of_an_unreadable_file_gives_the_reason() -> None:
    """Nothing was checked, and the page says why."""
    tasks = (TaskResult("noisy_sample", "The noisy sample", 10.0, False, ()),)
    text = Page(to_html(graded(status=UNREADABLE, reason="The file ends at byte 7.", tasks=tasks))).text
    assert "Why nothing could be marked The file ends at byte 7." in text
    assert "0 of 10 points" in text
    assert "Not checked." in text


def test_to_html_of_our_fault_shows_no_score() -> None:
    """A fault of the grader is neither a 0 nor the student's."""
    text = Page(to_html(graded(status=GRADER_ERROR, reason="The grader failed."))).text
    assert "not marked" in text
    assert "not your work" in text
    assert "of 50 points" not in text


def test_to_html_shows_partial_credit_as_such() -> None:
    """A check that earned half is not shown as held."""
    half = CheckResult(
        "quality", "as good as the reference", Fraction(1), Status.PASSED, Fraction(1, 2), "Two are yours."
    )
    text = Page(to_html(graded(tasks=(TaskResult("q", "Quality", 10.0, False, (half,)),)))).text
    assert "holds in part 5 / 10" in text


def test_a_message_is_told_once_a_task() -> None:
    """Where one mistake fails several checks, the page and the table refer back to the first."""
    lost = tuple(
        CheckResult(f"c{n}", "c", Fraction(1, 3), Status.WRONG, Fraction(0), "The same hint.") for n in range(3)
    )
    report = graded(tasks=(TaskResult("t", "T", 9.0, False, lost),))
    for text in (Page(to_html(report)).text, printed(report_table(report))):
        assert text.count("The same hint.") == 1
        assert text.count("As above.") == 2


def test_as_above_stands_right_below_what_it_repeats() -> None:
    """With another message between, or one that only some forms show, the first is told again."""
    third, none = Fraction(1, 3), Fraction(0)
    other = CheckResult("b", "b", third, Status.WRONG, none, "Another hint.")
    partly = CheckResult("b", "b", third, Status.PASSED, Fraction(1, 2), "The hint.")
    held = CheckResult("b", "b", third, Status.PASSED, Fraction(1), "")
    for between, times in ((other, 2), (held, 1)):
        first, last = (CheckResult(name, name, third, Status.WRONG, none, "The hint.") for name in "ac")
        report = graded(tasks=(TaskResult("t", "T", 9.0, False, (first, between, last)),))
        for text in (Page(to_html(report)).text, printed(report_table(report)), to_markdown(report)):
            assert text.count("The hint.") == times
            assert ("As above." in text) is (times == 1)
    report = graded(tasks=(TaskResult("t", "T", 9.0, False, (partly, last)),))
    assert "The hint." in printed(report_table(report))


# --- the terminal


def test_report_table_names_scores_and_lost_points() -> None:
    """A row a task and a check, the sum, a sentence for every lost point, and what was measured."""
    text = printed(report_table(graded(figures=FIGURES)))
    assert "4 / 16" in text
    assert "22 / 50" in text
    flowing = " ".join(text.split())
    assert "The target moves to the weighted mean: wrong value, 8 points lost" in flowing
    assert "10 points not earned" in flowing
    assert "✓ Each row uses its own t 3 / 3 holds" in flowing
    assert "with 2 steps at 1, 0.002, expected 1, 0.501" in flowing
    assert "note: cell test_noisy_sample" in flowing


def test_report_table_of_our_fault_shows_no_score() -> None:
    """Points that we could not find out are neither earned nor lost."""
    lost = CheckResult("v", "v", Fraction(1), Status.GRADER_ERROR, Fraction(0))
    tasks = (TaskResult("t", "T", 10.0, False, (lost,)),)
    text = " ".join(printed(report_table(graded(status=GRADER_ERROR, reason="Ours.", tasks=tasks))).split())
    assert "T – / 10 could not be checked" in text
    assert "10 points withheld" in text
    assert "total not marked grader error" in text


def test_report_table_is_plain_on_a_pipe_and_coloured_in_a_terminal() -> None:
    """Colours are ours alone and never reach a file."""
    assert "\x1b" not in printed(report_table(graded()))
    assert "\x1b[" in printed(report_table(graded()), terminal=True)


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_report_table_of_hostile_text_is_obeyed_by_no_reader(width: int) -> None:
    """However lines break: no terminal code, no CI command, no markup of rich, and an end."""
    file = io.StringIO()
    console = Console(file=file, width=width, markup=True, emoji=True)
    console.print(report_table(hostile()))
    console.print(class_table([(HOSTILE, "1 / 2", "0", "graded")], 2))
    text = file.getvalue()
    assert is_plain(text)
    assert "::" not in text
    assert "##" not in text
    if width == 200:
        assert "[red]markup[/red]" in text
    assert len(text) < 400_000


def test_class_table_counts_those_it_leaves_out() -> None:
    """A large class does not fill the screen."""
    assert "… and 940 more" in printed(class_table([("ada", "1 / 2", "0", "graded")] * 60, 1000))


@pytest.mark.parametrize(
    "form", [to_html, to_junit, to_markdown, Report.to_json, lambda r: json.dumps(to_gradescope(r))]
)
def test_every_form_leaves_out_what_is_for_staff(form: Callable[[Report], str | bytes]) -> None:
    """Traces and suspicions reach no form that a student reads."""
    text = form(graded(staff={"traceback": "CANARY"}))
    assert "CANARY" not in (text if isinstance(text, str) else text.decode())
