"""`python -m docs.make_commands_page` writes docs/commands.md from the parsers of `autograder`.

A test compares the page with what this module returns, so it fails until the page is made again after a change.
"""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Iterator
from pathlib import Path

from autograder.cli import EXIT_CODES, _parser

PAGE = Path(__file__).with_name("commands.md")
INTRODUCTION = """\
# Commands

This page is made from the commands' own `--help` by `python -m docs.make_commands_page`; do not edit it by hand.
The commands are in `.venv/bin`; type them in the course folder.
[The instructor's page](instructor.md) shows most of them in the order in which a course needs them.
"""


def page() -> str:
    """Return the page."""
    commands = dict(leaves("autograder", _parser()))
    common = set.intersection(*({label(option) for option in options_of(one)} for one, _ in commands.values()))
    rows = (f"| [`{name}`](#{anchor(name)}) | {what} |" for name, (_, what) in commands.items())
    first, _ = next(iter(commands.values()))
    shared = (option for option in options_of(first) if label(option) in common)
    codes = (f"| {code} | {what} |" for code, what in EXIT_CODES.items())
    parts = [
        INTRODUCTION,
        "\n".join(["| command | what it does |", "|---|---|", *rows, ""]),
        "\n".join(["## Exit codes", "", "| code | meaning |", "|---|---|", *codes, ""]),
        "\n".join(["## Options of every command", "", *table(shared), ""]),
        *(section(name, parser, what, common) for name, (parser, what) in commands.items()),
    ]
    return "\n".join(parts)


def leaves(name: str, parser: argparse.ArgumentParser) -> Iterator[tuple[str, tuple[argparse.ArgumentParser, str]]]:
    """Yield the name of each command with its parser and its sentence; a group of commands is not one."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            what = {choice.dest: choice.help or "" for choice in action._choices_actions}
            for word, one in action.choices.items():
                if any(isinstance(each, argparse._SubParsersAction) for each in one._actions):
                    yield from leaves(f"{name} {word}", one)
                else:
                    yield f"{name} {word}", (one, what[word])


def section(name: str, parser: argparse.ArgumentParser, what: str, common: set[str]) -> str:
    """Return what the page says of one command."""
    own = [option for option in options_of(parser) if label(option) not in common]
    lines = [f"## {name}", "", f"{what[0].upper()}{what[1:]}.", "", "```text", usage(name, parser, own), "```", ""]
    return "\n".join([*lines, *table(own), ""] if own else lines)


def usage(name: str, parser: argparse.ArgumentParser, own: list[argparse.Action]) -> str:
    """Return what to type: optional arguments in brackets, a bar between those that exclude each other."""
    alternatives = [group._group_actions for group in parser._mutually_exclusive_groups if group.required]
    words = []
    for action in own:
        group = next((each for each in alternatives if action in each), None)
        if group is None:
            needed = action.required if action.option_strings else action.nargs != "?"
            words.append(label(action) if needed else f"[{label(action)}]")
        elif action is group[0]:
            words.append(f"({' | '.join(map(label, group))})")
    line = " ".join(word.replace(" ", "\0") for word in [name, *words])  # a word is never torn apart
    wrapped = textwrap.wrap(line, 100, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
    return "\n".join(wrapped).replace("\0", " ")


def options_of(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """Return a command's arguments, the positional ones first; `--help` goes without saying."""
    actions = [action for action in parser._actions if not isinstance(action, argparse._HelpAction)]
    return sorted(actions, key=lambda action: bool(action.option_strings))


def label(action: argparse.Action) -> str:
    """Return an argument as it is typed, with what stands behind it."""
    value = action.metavar or (f"{{{','.join(map(str, action.choices))}}}" if action.choices else action.dest.upper())
    if not action.option_strings:
        return str(value)
    return action.option_strings[-1] if action.nargs == 0 else f"{action.option_strings[-1]} {value}"


def table(actions: Iterator[argparse.Action] | list[argparse.Action]) -> list[str]:
    """Return the rows that explain arguments."""
    return ["| argument | meaning |", "|---|---|", *(f"| `{label(each)}` | {meaning(each)} |" for each in actions)]


def meaning(action: argparse.Action) -> str:
    """Return an argument's help, with its default where the help does not name it."""
    text = action.help or ""
    has_default = action.default not in (None, "", True, False, []) and "default" not in text
    return f"{text} (default: {action.default})" if has_default else text


def anchor(name: str) -> str:
    """Return the link to a heading, as GitHub makes it."""
    return name.replace(" ", "-")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
