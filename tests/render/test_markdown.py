"""The report as Markdown, read by a Markdown reader: right facts, and student text that stays text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from autograder.render.markdown import code, escaped, to_markdown
from autograder.report import GRADER_ERROR, UNREADABLE, CheckResult, TaskResult
from autograder.text import clean, for_log
from autograder.verdict import Status
from tests.sample_reports import FIGURES, HOSTILE, graded, hostile, is_plain

READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
OURS = {
    "h2", "h3", "p", "strong", "em", "ul", "li", "blockquote", "code", "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip


def tokens(text: str) -> Iterator[Token]:
    """Yield the block and inline tokens of a document."""
    for token in READER.parse(text):
        yield token
        yield from token.children or ()


def read(text: str) -> str:
    """Return the text that a document shows, as one line."""
    shown = {"text", "code_inline", "text_special"}
    parts = (
        token.content if token.type in shown else " " if token.tag == "br" or token.content == "<br>" else ""
        for token in tokens(text)
    )
    return " ".join("".join(parts).split())


def test_to_markdown_says_what_the_page_says() -> None:
    """Score, every check with its verdict, hints, the figures in words, notices, and what was marked."""
    text = to_markdown(graded("Ada", figures=FIGURES))
    for part in (
        "## consistency-models: `Ada`", "**22 of 50 points**", "| The EMA update of the target | 4 / 16 |",
        "- ✗ The target moves to the weighted mean: **wrong value**, 0 / 8\n  > The two weights look exchanged",
        "- ✓ Each row uses its own t: **holds**, 3 / 3", "**not attempted**", "**too slow**",
        "with 2 steps at 1, 0.002, expected 1, 0.501", "### Noticed, without any cost", "`9f86d081884c7d65`",
    ):  # fmt: skip
        assert part in text


def test_to_markdown_of_what_was_not_marked_gives_the_reason() -> None:
    """An unreadable file is a 0 with its reason; a fault of the grader is no score."""
    tasks = (TaskResult("noisy_sample", "The noisy sample", 10.0, False, ()),)
    text = to_markdown(graded(status=UNREADABLE, reason="The file ends at byte 7.", tasks=tasks))
    assert "**0 of 10 points**\n\n> The file ends at byte 7." in text
    assert "points" not in to_markdown(graded(status=GRADER_ERROR, reason="Ours.")).split("###")[0].replace(
        "No points are lost", ""
    )


def test_to_markdown_of_hostile_text_has_our_elements_alone() -> None:
    """No link, picture, mark-up or HTML of a student's, no command to a log, and an end."""
    report = hostile()
    text = to_markdown(report)
    found = list(tokens(text))
    assert {token.tag for token in found if token.tag} <= OURS
    assert {token.content for token in found if token.type == "html_inline"} <= {"<br>", "<!-- -->"}
    assert not [token for token in found if token.type in ("html_block", "fence", "code_block", "hr")]
    assert is_plain(text)
    assert "::" not in text
    assert not re.search(r"##(\[|vso)", text)
    assert "and 460 more of this kind" in text
    assert len(text.encode()) < 300_000


@pytest.mark.parametrize(
    "text",
    [
        HOSTILE, "- item", "1. one", "12) twelve", "# heading", "=", "---", "> quote", "    code", "\tcode", "a\n\n\nb",
        "```\nfence\n```", "~~~", "[a](http://x.example)", "![a](x)", "<b>", "&lt;", "a | b", "$x$", "**b** _i_ ~~s~~",
        "www.x.example", "http://x.example", "@torch #12 GH-1", "a@b.example", ":smile:", "\\", "x_0 * t", "[^1]",
        "setext\n===", "<!-- c -->", "a\\\nb", "+", "[x]: http://x.example",
    ],
)  # fmt: skip
def test_escaped_text_is_read_as_it_was_written(text: str) -> None:
    """Whatever a line or a message looks like, a reader shows its letters, in one paragraph."""
    shown = escaped(clean(text))
    assert read(shown) == " ".join(for_log(clean(text)).split())
    assert {token.tag for token in tokens(shown) if token.tag} <= {"p"}
    assert "\n" not in shown
    # What GitHub makes links of beyond CommonMark.
    assert not re.search(r"(?<!&)[@#]\w|www\.|\w://", re.sub(r"<!-- -->", "\0", shown))


@pytest.mark.parametrize("name", [HOSTILE, "`", "``a`", "|", "", " ", "a|b", "@torch", "\n"])
def test_code_is_one_span_whatever_the_name(name: str) -> None:
    """A name is a span of code, in a cell of a table too."""
    rows = READER.parse(f"| a | b |\n| --- | --- |\n| {code(name)} | end |\n")
    cells = [token.children or [] for token in rows if token.type == "inline"][2:]
    assert len(cells) == 2
    assert [token.type for token in cells[0]] == ["code_inline"]
    assert [token.content for token in cells[1]] == ["end"]


def test_to_markdown_shows_partial_credit_as_such() -> None:
    """A check that earned half is not shown as held."""
    half = CheckResult("quality", "as good", Fraction(1), Status.PASSED, Fraction(1, 2), "Two are yours.")
    text = to_markdown(graded(tasks=(TaskResult("q", "Quality", 10.0, False, (half,)),)))
    assert "◐ as good: **holds in part**, 5 / 10" in text
