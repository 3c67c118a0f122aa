"""The lesson's Markdown as HTML: mathematics as MathML, named numbers, terms, figures, cards and questions."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import takewhile
from typing import Any

from latex2mathml.converter import convert
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererProtocol
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from mdit_py_plugins.attrs import attrs_plugin
from mdit_py_plugins.container import container_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.substitution import substitution_plugin

from autograder.errors import ReleaseFault
from autograder.lesson.blocks import OPTION, block_faults, with_blocks
from autograder.lesson.facts import Facts
from autograder.lesson.terms import anchor

_MATH_AND_POINT = re.compile(
    r'(<span class="math inline"><math (?:(?!</math>).)*</math></span>)([.,;:?!)]+)', re.DOTALL
)
_SIGN = re.compile(r"(<mo[^>]*>&#x000(?:28|2C);</mo><mo)(>&#x02212;</mo>)")  # after ( or , no difference, but a sign
_TABLE = '<div class="scroll" tabindex="0" role="group" aria-label="Table"><table>\n'  # wide ones scroll, by keys too
_ANSWER = '<div class="answer" tabindex="-1" hidden><p class="verdict"></p>\n'
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
    markdown.use(container_plugin, "question", render=_between('<form class="question">\n', "</form>\n"))
    markdown.use(container_plugin, "answer", render=_between(_ANSWER, "</div>\n"))
    markdown.use(substitution_plugin)
    markdown.disable("substitution_block")  # a number stands within a sentence, also where that is all of a line
    markdown.core.ruler.push("questions", _questions)
    markdown.add_render_rule("substitution_inline", _fact_html(facts))
    markdown.add_render_rule("span_open", _term_open)
    markdown.add_render_rule("span_close", lambda *_: "</dfn>")
    for edge in ("table_open", "table_close"):
        markdown.add_render_rule(edge, _between(_TABLE, "</table></div>\n"))
    return markdown


def _mathml(content: str, options: dict[str, Any]) -> str:
    made = str(convert(content.strip(), display="block" if options["display_mode"] else "inline"))
    if unknown := re.search(r"\\[a-zA-Z|]+", made):
        raise ReleaseFault(f"lesson.md, formula '{content.strip()}': {unknown.group()} cannot be rendered here")
    return _SIGN.sub(r'\1 form="prefix"\2', made)


def _fact_html(facts: Facts) -> Callable[..., str]:
    def render(_: RendererProtocol, tokens: Sequence[Token], index: int, *__: Any) -> str:
        fact = facts.fact(tokens[index].content)
        return f'<span class="fact" title="{escape(fact.origin)}">{escape(fact.text)}</span>'

    return render


def _term_open(_: RendererProtocol, tokens: Sequence[Token], index: int, *__: Any) -> str:
    """Return what opens `[word]{.term}`; `[words]{.term of=word}` explains a term by another form of it."""
    words = takewhile(lambda token: token.type != "span_close", tokens[index + 1 :])
    name = str(tokens[index].attrs.get("of") or "".join(token.content for token in words))
    return f'<dfn id="{anchor(name)}" data-term="{escape(name)}">'


def _figure(draw: Callable[[str], str]) -> Callable[..., str]:
    def render(_: RendererProtocol, tokens: Sequence[Token], index: int, *__: Any) -> str:
        token = tokens[index]
        if token.nesting != 1:
            return "</figcaption></figure>\n"
        name = token.info.split()[-1]
        return f'<figure id="figure-{name}" class="figure figure-{name}">{draw(name)}<figcaption>\n'

    return render


def _between(opening: str, closing: str) -> Callable[..., str]:
    """Return what renders a block as these two pieces of HTML around its content."""

    def render(_: RendererProtocol, tokens: Sequence[Token], index: int, *__: Any) -> str:
        return opening if tokens[index].nesting == 1 else closing

    return render


def _questions(state: StateCore) -> None:
    """Turn the first paragraph and the list of each question into a field set with a radio button for each option."""
    number = 0
    for token, _, inside in with_blocks(state.tokens):
        number += token.type == "container_question_open"
        if inside[-1:] == ["question"]:
            _as_option(token, number)


def _as_option(token: Token, number: int) -> None:
    replaced = {
        "bullet_list_open": "",
        "bullet_list_close": '<button type="submit" disabled>See the answer</button></fieldset>\n',
        "list_item_open": f'<label><input type="radio" name="question-{number}"',
        "list_item_close": "</span></label>\n",
    }
    if token.type in ("paragraph_open", "paragraph_close") and not token.hidden:
        edge = "<fieldset><legend>" if token.nesting == 1 else "</legend>\n"
        token.type, token.content, token.nesting = "html_block", edge, 0
    elif token.type in replaced:
        token.type, token.content, token.nesting = "html_block", replaced[token.type], 0
    elif token.type == "inline" and token.children and (found := OPTION.match(token.children[0].content)):
        token.children[0].content = token.children[0].content[found.end() :]
        value = "right" if found.group(1) == "x" else "wrong"
        token.children.insert(0, Token("html_inline", "", 0, content=f' value="{value}"><span>'))


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
    for before, place in enumerate(places):
        number, index = before + 1, place + before  # each section before it has put a token in
        title = "".join(child.content for child in tokens[index + 1].children or [])
        prose.contents.append((f"section-{number}", title))
        tokens[index].attrSet("id", f"section-{number}")
        close = "</section>\n" if before else ""
        start = f'<section aria-labelledby="section-{number}" data-name="{number}. {escape(title)}">\n'
        tokens.insert(index, Token("html_block", "", 0, content=close + start))
    if places:
        tokens.append(Token("html_block", "", 0, content="</section>\n"))
