"""Text from a student, made fit to be shown."""

from __future__ import annotations

import pytest

from autograder.render.wording import note
from autograder.report import Notice
from autograder.text import clean, for_log, number, one_line


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


def test_a_notice_names_its_cell_once() -> None:
    """The cell stands in front unless the sentence has it."""
    assert note(Notice("x", "Cell 7, 'setup', was changed.", "setup")) == "Cell 7, 'setup', was changed."
    assert note(Notice("x", "It was changed.", "setup")) == "cell setup: It was changed."
