"""The lesson's Markdown as HTML: mathematics as MathML, named numbers, terms, figures, cards and questions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from latex2mathml.converter import convert
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererProtocol
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from mdit_py_plugins.attrs import attrs_plugin
from mdit_py_plugins.container import container_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin

from autograder.errors import ReleaseFault
from autograder.lesson.blocks import OPTION, block_faults
from autograder.lesson.facts import Facts
from autograder.lesson.terms import anchor

_FACT = re.compile(r"\{\{(\w+)\}\}")
_MATH_AND_POINT = re.compile(
    r'(<span class="math inline"><math (?:(?!</math>).)*</math></span>)([.,;:?!)]+)', re.DOTALL
)
_SIGN = re.compile(r"(<mo[^>]*>&#x000(?:28|2C);</mo><mo)(>&#x02212;</mo>)")  # after ( or , no difference, but a sign
_TABLE = '<div class="scroll" tabindex="0" role="group" aria-label="Table"><table>\n'  # wide ones scroll, by keys too
_BOXES = ("cards", "card", "note", "analogy", "numbers")


@dataclass
class Prose:
    """The sections of the lesson as HTML, with their titles and anchors; `words` counts what is read."""

    html: str
    contents: list[tuple[str, str]] = field(default_factory=list)
    words: int = 0


def read_prose(text: str, facts: Facts, draw: Callable[[str], str]) -> Prose:
    """Return the HTML of a lesson's Markdown; `draw` gives the SVG, or other HTML, of a figure by its name.

    Raises ReleaseFault that lists the blocks that are not in order and the numbers of the text that have no fact.
    """
    markdown = _parser(facts, draw)
    tokens = markdown.parse(text)
    _check(tokens, facts)
    prose = Prose("", words=sum(len(re.findall(r"\w[\w'’.,-]*", piece)) for _, piece in _texts(tokens, True)))
    _number_sections(tokens, prose)
    html = str(markdown.renderer.render(tokens, markdown.options, {}))
    prose.html = _MATH_AND_POINT.sub(r'<span class="together">\1\2</span>', html)
    return prose


def _parser(facts: Facts, draw: Callable[[str], str]) -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False, "typographer": True})
    markdown.enable(["table", "replacements", "smartquotes"])
    markdown.use(dollarmath_plugin, double_inline=True, renderer=_mathml)
    markdown.use(attrs_plugin, spans=True)
    for name in _BOXES:
        markdown.use(container_plugin, name)
    markdown.use(container_plugin, "figure", render=_figure(draw))
    markdown.use(container_plugin, "question", render=_question())
    markdown.use(container_plugin, "answer", render=_answer)
    markdown.inline.ruler.before("text", "fact", _fact_rule)
    markdown.core.ruler.push("questions", _questions)
    markdown.add_render_rule("fact", _fact_html(facts))
    markdown.add_render_rule("span_open", _term_open)
    markdown.add_render_rule("span_close", lambda *_: "</dfn>")
    markdown.add_render_rule("table_open", lambda *_: _TABLE)
    markdown.add_render_rule("table_close", lambda *_: "</table></div>\n")
    return markdown


def _mathml(content: str, options: dict[str, Any]) -> str:
    made = str(convert(content.strip(), display="block" if options["display_mode"] else "inline"))
    if unknown := re.search(r"\\[a-zA-Z|]+", made):
        raise ReleaseFault(f"lesson.md, formula '{content.strip()}': {unknown.group()} cannot be rendered here")
    return _SIGN.sub(r'\1 form="prefix"\2', made)


def _fact_rule(state: StateInline, silent: bool) -> bool:
    found = _FACT.match(state.src, state.pos)
    if found is None:
        return False
    if not silent:
        state.push("fact", "", 0).content = found.group(1)
    state.pos = found.end()
    return True


def _fact_html(facts: Facts) -> Callable[..., str]:
    def render(_: RendererProtocol, tokens: Sequence[Token], index: int, *__: Any) -> str:
        fact = facts.fact(tokens[index].content)
        return f'<span class="fact" title="{escape(fact.origin)}">{escape(fact.text)}</span>'

    return render


def _term_open(_: RendererProtocol, tokens: Sequence[Token], index: int, *__: Any) -> str:
    """Return what opens `[word]{.term}`; `[words]{.term of=word}` explains a term by another form of it."""
    token = tokens[index]
    name = str(token.attrs.get("of") or _inside(tokens, index))
    return f'<dfn id="{anchor(name)}" data-term="{escape(name)}">'


def _inside(tokens: Sequence[Token], index: int) -> str:
    words = []
    for token in tokens[index + 1 :]:
        if token.type == "span_close":
            break
        words.append(token.content)
    return "".join(words)


def _figure(draw: Callable[[str], str]) -> Callable[..., str]:
    def render(_: RendererProtocol, tokens: Sequence[Token], index: int, *__: Any) -> str:
        token = tokens[index]
        if token.nesting != 1:
            return "</figcaption></figure>\n"
        name = token.info.split()[-1]
        return f'<figure id="figure-{name}" class="figure figure-{name}">{draw(name)}<figcaption>\n'

    return render


def _question() -> Callable[..., str]:
    def render(_: RendererProtocol, tokens: Sequence[Token], index: int, *__: Any) -> str:
        return '<form class="question">\n' if tokens[index].nesting == 1 else "</form>\n"

    return render


def _answer(_: RendererProtocol, tokens: Sequence[Token], index: int, *__: Any) -> str:
    if tokens[index].nesting == 1:
        return '<div class="answer" tabindex="-1" hidden><p class="verdict"></p>\n'
    return "</div>\n"


def _questions(state: StateCore) -> None:
    """Turn the first paragraph and the list of each question into a field set with a radio button for each option."""
    number = 0
    depth: list[str] = []
    for token in state.tokens:
        kind = token.type.removeprefix("container_").removesuffix("_open")
        if token.type.endswith("_open") and kind in ("question", "answer"):
            depth.append(kind)
            number += kind == "question"
        elif token.type in ("container_question_close", "container_answer_close"):
            depth.pop()
        elif depth == ["question"]:
            _as_option(token, number)


def _as_option(token: Token, number: int) -> None:
    replaced = {
        "bullet_list_open": "",
        "bullet_list_close": '<button type="submit" disabled>See the answer</button></fieldset>\n',
        "list_item_open": None,
        "list_item_close": "</span></label>\n",
    }
    if token.type in ("paragraph_open", "paragraph_close") and not token.hidden:
        edge = "<fieldset><legend>" if token.nesting == 1 else "</legend>\n"
        token.type, token.content, token.nesting = "html_block", edge, 0
    elif token.type in replaced:
        token.meta["question"] = number
        content = replaced[token.type]
        token.content = _OPEN_OPTION.format(number) if content is None else content
        token.type, token.nesting = "html_block", 0
    elif token.type == "inline" and token.children and (found := OPTION.match(token.children[0].content)):
        token.children[0].content = token.children[0].content[found.end() :]
        value = "right" if found.group(1) == "x" else "wrong"
        token.children.insert(0, Token("html_inline", "", 0, content=f' value="{value}"><span>'))


_OPEN_OPTION = '<label><input type="radio" name="question-{}"'


def _check(tokens: Sequence[Token], facts: Facts) -> None:
    faults = list(block_faults(tokens))
    for line, piece in _texts(tokens):
        faults += [f"line {line}: the number {number} has no fact" for number in facts.unlisted(piece)]
    if faults:
        raise ReleaseFault("\n".join(f"lesson.md, {fault}" for fault in faults))


def _texts(tokens: Sequence[Token], prose_only: bool = False) -> Iterator[tuple[int, str]]:
    """Yield every piece of text, formulas included unless `prose_only`, with the line on which its block begins."""
    formulas = ("math_block", "math_inline", "math_inline_double", "code_inline")
    for token in tokens:
        line = token.map[0] + 1 if token.map else 0
        if token.type in ("fence", "math_block") and not prose_only:
            yield line, token.content
        for child in token.children or []:
            if child.type == "text" or (child.type in formulas and not prose_only):
                yield line, child.content


def _number_sections(tokens: list[Token], prose: Prose) -> None:
    """Wrap what follows each heading of the second level in a section with a number, and note it for the contents."""
    places = [index for index, token in enumerate(tokens) if token.type == "heading_open" and token.tag == "h2"]
    for number, index in enumerate(places, 1):
        title = "".join(child.content for child in tokens[index + 1].children or [])
        prose.contents.append((f"section-{number}", title))
        tokens[index].attrSet("id", f"section-{number}")
        close = "</section>\n" if number > 1 else ""
        start = f'<section aria-labelledby="section-{number}" data-name="{number}. {escape(title)}">\n'
        tokens[index].meta["before"] = close + start
    for index in reversed(places):
        tokens.insert(index, Token("html_block", "", 0, content=tokens[index].meta["before"]))
    if places:
        tokens.append(Token("html_block", "", 0, content="</section>\n"))
