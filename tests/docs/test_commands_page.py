"""docs/commands.md is what the parsers of `autograder` say today."""

from __future__ import annotations

import argparse

from docs.make_commands_page import PAGE, leaves, page, section
from tests.documented_commands import blocks


def test_page_as_committed_is_fresh() -> None:
    """`python -m docs.make_commands_page` would change nothing."""
    assert PAGE.read_text(encoding="utf-8") == page(), "run `python -m docs.make_commands_page`, and commit the page"


def test_page_has_a_usage_for_every_command() -> None:
    """Each command, those of `package` too, has its usage in a block of its own."""
    from autograder.cli import _parser

    names = [name for name, _ in leaves("autograder", _parser())]
    assert "autograder package student" in names
    usages = [block.text for block in blocks(PAGE, "text")]
    assert len(usages) == len(names)
    assert all(usage.startswith(name) for usage, name in zip(usages, names, strict=True))


def test_section_shows_what_is_required_and_every_default() -> None:
    """Brackets mark what is optional; a default that the help leaves out is added; common options are left out."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--course", metavar="DIR")
    parser.add_argument("who", metavar="WHO", nargs="?", help="a person")
    either = parser.add_mutually_exclusive_group(required=True)
    either.add_argument("--up", action="store_true")
    either.add_argument("--down", action="store_true")
    parser.add_argument("--pace", choices=("slow", "fast"), default="slow", help="how fast")
    text = section("go", parser, "go somewhere", {"--course DIR"})
    assert "Go somewhere.\n\n```text\ngo [WHO] (--up | --down) [--pace {slow,fast}]\n```" in text
    assert "| `--pace {slow,fast}` | how fast (default: slow) |" in text
    assert "--course" not in text


def test_long_usage_is_wrapped_between_arguments() -> None:
    """No line is longer than a hundred characters, and no argument is torn from its value."""
    parser = argparse.ArgumentParser()
    for letter in "abcdefghijklmnop":
        parser.add_argument(f"--{letter * 4}", metavar="VALUE")
    usage = section("go", parser, "go", set()).split("```")[1]
    assert max(map(len, usage.splitlines())) <= 100
    assert usage.count("VALUE]") == 16
    assert not any(line.strip().startswith("VALUE") for line in usage.splitlines())
