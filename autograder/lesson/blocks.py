"""The blocks of the lesson's Markdown: each is closed, and every question can be guessed at."""

import re
from collections.abc import Iterator, Sequence

from markdown_it.token import Token

OPTION = re.compile(r"\[([x ])\] ")


def block_faults(tokens: Sequence[Token]) -> Iterator[str]:
    """Yield what is wrong with the blocks of a text, each with the line on which it begins."""
    for token, line, inside in with_blocks(tokens):
        if token.type.startswith("container_") and token.nesting == -1 and not token.markup:
            yield f"line {line}: the block '{inside[-1]}' is not closed; end it with as many colons as it began with"
        if token.type == "inline" and any(row.startswith(":::") for row in token.content.splitlines()):
            yield f"line {line}: these colons begin no block that there is, or end one that is not open"
    yield from _question_faults(tokens)


def _question_faults(tokens: Sequence[Token]) -> Iterator[str]:
    begun, said, answers = 0, [""], 0
    for token, line, inside in with_blocks(tokens):
        if token.type == "container_question_open":
            begun, said, answers = line, [], 0
        answers += token.type == "container_answer_open"
        if token.type == "inline" and inside[-1:] == ["question"]:
            said.append(token.content)
        if token.type == "container_question_close":
            options = [found.group(1) for text in said[1:] if (found := OPTION.match(text))]
            if len(options) != len(said) - 1 or len(options) < 2 or options.count("x") != 1 or answers != 1:
                yield (
                    f"line {begun}: a question is one paragraph, options '- [ ] ...' of which one is '- [x] ...', "
                    "and one answer"
                )


def with_blocks(tokens: Sequence[Token]) -> Iterator[tuple[Token, int, list[str]]]:
    """Yield each token with the line it began on, and the names of the blocks around it, its own among them."""
    inside: list[tuple[str, int]] = []
    for token in tokens:
        name = re.fullmatch(r"container_(\w+)_open", token.type)
        line = token.map[0] + 1 if token.map else 0
        if name:
            inside.append((name.group(1), line))
        closes = token.type.startswith("container_") and token.nesting == -1
        yield token, inside[-1][1] if closes else line, [block for block, _ in inside]
        if closes:
            inside.pop()
