"""Every form of a report: right facts, and nothing in a student's text that its reader would obey."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from fractions import Fraction
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from rich.console import Console, RenderableType

from autograder.render.gradescope import to_gradescope
from autograder.render.html import ClassRow, to_html, to_index
from autograder.render.junit import to_junit
from autograder.render.terminal import class_table, report_table
from autograder.render.text import clean, for_log, number, one_line
from autograder.report import GRADER_ERROR, UNREADABLE, CheckResult, Report, TaskResult
from autograder.verdict import Status
from tests.sample_reports import HOSTILE, graded, hostile

BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"
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


def is_plain(text: str) -> bool:
    """Whether a text has no control codes, marks of direction or halves of letters."""
    return not any(
        char in BIDI or (ord(char) < 32 and char not in "\n\t") or 0xD800 <= ord(char) < 0xE000 for char in text
    )


# --- text


def test_clean_shows_what_it_removes_and_ends() -> None:
    """Control characters become a sign, terminal codes go, and a text without end is cut."""
    assert clean("a\x00b\u202ec\x1b[31md\x1b]0;title\x07e\r\nf\ud800") == "a\ufffdb\ufffdcde\nf\ufffd"
    assert len(clean("x" * 10**7)) == 1500
    assert clean("👩‍🔬 Zoë") == "👩‍🔬 Zoë"


def test_one_line_has_no_line_ends() -> None:
    """Names fit in a cell of a table, whatever they hold."""
    assert one_line("a\n b\u2028c\x0bd") == "a b c d"


def test_for_log_leaves_no_command() -> None:
    """After any run of colons or hashes no pair is left."""
    text = for_log(":::::: ##[x] ###vso[")
    assert "::" not in text
    assert "##" not in text


@pytest.mark.parametrize(
    ("value", "shown"), [(87.0, "87"), (12.5, "12.5"), (10 / 3, "3.33"), (0.0, "0"), (100.0, "100")]
)
def test_number_reads_as_people_write(value: float, shown: str) -> None:
    """Points have no needless decimals."""
    assert number(value) == shown


# --- the page


def test_to_html_says_what_was_checked_and_what_to_do() -> None:
    """Score, titles of checks, verdicts, hints and notices are all on the page."""
    text = Page(to_html(graded("Ada Lovelace"))).text
    for part in (
        "Ada Lovelace", "22 of 50 points", "The EMA update of the target", "4 / 16",
        "The target moves to the weighted mean: wrong value", "The two weights look exchanged",
        "Each row uses its own t: holds", "not attempted", "bonus", "too slow",
        "Cell test_noisy_sample: A given cell was changed", "9f86d081884c7d65",
    ):  # fmt: skip
        assert part in text


def test_to_html_is_self_contained_and_labelled() -> None:
    """No script, nothing from outside, a language, landmarks, and every section named by a heading."""
    page = Page(to_html(graded()))
    assert page.open == []
    assert not {"script", "link", "img", "iframe", "object", "form"} & set(page.tags)
    assert not {"src", "href", "action", "onclick"} & {name for name, _ in page.attributes}
    assert {"header", "main", "footer", "h1", "h2"} <= set(page.tags)
    assert page.tags.count("main") == 1
    ids = {value for name, value in page.attributes if name == "id"}
    named = {value for name, value in page.attributes if name == "aria-labelledby"}
    assert named
    assert named <= ids
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


def test_to_index_links_to_every_report() -> None:
    """A row a student; names are text, links are addresses, and no score is not 0."""
    rows = [
        ClassRow("ada", "ada.html", 87.0, 100.0, 5.0, "graded", (10.0,)),
        ClassRow(HOSTILE, "%253D.html", None, 100.0, 0.0, "grader_error", (0.0,)),
    ]
    text = to_index("consistency-models", ["noisy_sample"], rows)
    page = Page(text)
    assert [value for name, value in page.attributes if name == "href"] == ["ada.html", "%253D.html"]
    assert "87 / 100" in page.text
    assert "– / 100" in page.text
    assert "script" not in page.tags
    assert is_plain(text)


# --- the terminal


def test_report_table_names_scores_and_lost_points() -> None:
    """A row a task, the sum, and a sentence for every lost point."""
    text = printed(report_table(graded()))
    assert "4 / 16" in text
    assert "22 / 50" in text
    flowing = " ".join(text.split())
    assert "The target moves to the weighted mean: wrong value, 8 points lost" in flowing
    assert "10 points not earned" in flowing
    assert "note: cell test_noisy_sample" in flowing


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


# --- JUnit


def read_junit(report: Report) -> ElementTree.Element:
    """Read the document back with the standard library's parser, and check its sums."""
    root = ElementTree.fromstring(to_junit(report))
    (suite,) = root.findall("testsuite")
    cases = suite.findall("testcase")
    assert int(suite.attrib["tests"]) == len(cases)
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert int(suite.attrib[name]) == len(suite.findall(f"testcase/{tag}"))
    # GitLab keeps only the first of two that have the same class and name.
    assert len({(case.attrib["classname"], case.attrib["name"]) for case in cases}) == len(cases)
    return suite


def test_to_junit_has_a_case_for_each_check() -> None:
    """Class, name, points and outcome are where CI systems look for them."""
    suite = read_junit(graded())
    cases = {(case.attrib["classname"], case.attrib["name"]): case for case in suite.findall("testcase")}
    lost = cases["consistency-models.ema_update", "values"]
    points = lost.find("properties/property[@name='points']")
    failure = lost.find("failure")
    assert points is not None
    assert points.attrib["value"] == "0/8"
    assert failure is not None
    assert failure.attrib["type"] == "WRONG"
    assert "weights look exchanged" in (failure.text or "")
    assert cases["consistency-models.consistency_training_pair", "values"].find("skipped") is not None
    assert [child.tag for child in cases["consistency-models.noisy_sample", "rows"]] == ["properties"]


def test_to_junit_tells_our_fault_from_an_unreadable_file() -> None:
    """Our fault is an <error>, the file's a <failure>, each with its reason."""
    error = read_junit(graded(status=GRADER_ERROR, reason="ours", tasks=())).find("testcase/error")
    failure = read_junit(graded(status=UNREADABLE, reason="theirs", tasks=())).find("testcase/failure")
    assert error is not None
    assert (error.attrib["type"], error.text) == ("GRADER_ERROR", "ours")
    assert failure is not None
    assert (failure.attrib["type"], failure.text) == ("UNREADABLE", "theirs")


def test_to_junit_of_hostile_text_is_well_formed() -> None:
    """What XML 1.0 cannot hold is left out, the rest is escaped, and the document is bounded."""
    document = to_junit(hostile())
    suite = read_junit(hostile())
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert "<script>alert(1)</script>" in (failure.text or "")
    assert is_plain(document.decode("utf-8"))
    assert len(document) < 20_000


# --- Gradescope


def test_to_gradescope_adds_the_bonus_as_extra_credit() -> None:
    """Gradescope's total is the score with the bonus; its tests are the checks, in order."""
    tasks = (
        TaskResult("a", "A", 100.0, False, (CheckResult("v", "v", Fraction(1), Status.PASSED, Fraction(1)),)),
        TaskResult("b", "B", 10.0, True, (CheckResult("v", "v", Fraction(1), Status.PASSED, Fraction(1)),)),
    )
    results = to_gradescope(graded(tasks=tasks))
    assert results["score"] == 110.0
    assert [(test["number"], test["score"], test["max_score"]) for test in results["tests"]] == [
        ("0", 0.0, 0.0), ("1.1", 100.0, 100.0), ("2.1", 10.0, 10.0),
    ]  # fmt: skip


def test_to_gradescope_hides_nothing() -> None:
    """One hidden test would hide the total from the student; every text is plain text."""
    results = to_gradescope(graded())
    assert {test["visibility"] for test in results["tests"]} == {"visible"}
    assert all(test["status"] in ("passed", "failed") for test in results["tests"])
    assert results["output_format"] == results["test_output_format"] == results["test_name_format"] == "text"
    assert sum(test["score"] for test in results["tests"]) == results["score"] == 22.0


def test_to_gradescope_of_our_fault_has_no_score_at_all() -> None:
    """Then Gradescope shows that the autograder failed, where a 0 would be a mark."""
    results = to_gradescope(graded(status=GRADER_ERROR, reason="The grader failed."))
    assert "score" not in results
    assert not any("score" in test for test in results["tests"])


def test_to_gradescope_of_an_unreadable_file_is_zero_with_the_reason() -> None:
    """The student reads why."""
    tasks = (TaskResult("a", "A", 100.0, False, ()),)
    results = to_gradescope(graded(status=UNREADABLE, reason="The file ends at byte 7.", tasks=tasks))
    assert results["score"] == 0.0
    assert "byte 7" in results["output"]
    assert results["tests"][1]["max_score"] == 100.0


def test_to_gradescope_of_hostile_text_is_plain_and_bounded() -> None:
    """No NUL and no codes, and within what a browser shows."""
    results = to_gradescope(hostile())
    texts = [str(test[key]) for test in results["tests"] for key in ("name", "output")]
    assert all(is_plain(text) for text in [*texts, results["output"]])
    assert len(json.dumps(results)) < 200_000


@pytest.mark.parametrize("form", [to_html, to_junit, Report.to_json, lambda r: json.dumps(to_gradescope(r))])
def test_every_form_leaves_out_what_is_for_staff(form: Callable[[Report], str | bytes]) -> None:
    """Traces and suspicions reach no form that a student reads."""
    text = form(graded(staff={"traceback": "CANARY"}))
    assert "CANARY" not in (text if isinstance(text, str) else text.decode())
