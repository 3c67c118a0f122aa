"""No word before its explanation: the terms of the lesson, where each is explained, and whether that comes first."""

import re
from dataclasses import dataclass
from html.parser import HTMLParser

from autograder.errors import ReleaseFault

_SILENT = {"script", "style", "title", "h1"}  # the page's own title must name what it is about


@dataclass(frozen=True)
class Term:
    """A term, the number of the section that explains it, and the anchor there."""

    name: str
    section: str
    anchor: str


class _Reader(HTMLParser):
    """Collects what a page says, in the order of reading, and where in it the explanations stand."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        self.explained: dict[str, tuple[int, str]] = {}  # name: place in the text, section
        self._open: list[str] = []
        self._section = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag not in {"input", "meta", "br", "hr", "link", "img"}:
            self._open.append(tag)
        if tag == "section":
            self._section = found.get("data-name") or self._section
        if tag == "dfn":
            self.explained[found.get("data-term") or ""] = (len(self.text), self._section)
        self.text += f" {found.get('aria-label') or ''} " if found.get("aria-label") else ""

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass
        self.text += " " if tag not in {"dfn", "em", "strong", "a", "span", "code"} else ""

    def handle_data(self, data: str) -> None:
        if not _SILENT & set(self._open[-3:]) or "svg" in self._open:
            self.text += data


def explained_terms(body: str, forms: dict[str, list[str]]) -> list[Term]:
    """Return the terms in the order in which a page explains them.

    `forms` has, for each term, further forms of the word that count as the term. Raises ReleaseFault that lists the
    terms that are not explained, and those used before they are.
    """
    reader = _Reader()
    reader.feed(body)
    faults = [f"'{name}' is explained and not a term of facts.toml" for name in reader.explained if name not in forms]
    for name, others in forms.items():
        if name not in reader.explained:
            faults.append(f"'{name}' is never explained; write [{name}]{{.term}} where it is")
            continue
        place, _ = reader.explained[name]
        used = re.search("|".join(rf"\b{re.escape(form)}" for form in (name, *others)), reader.text, re.IGNORECASE)
        if used is not None and used.start() < place:
            near = " ".join(reader.text[max(0, used.start() - 50) : used.end() + 30].split())
            faults.append(f"'{name}' is used before it is explained: ... {near} ...")
    if faults:
        raise ReleaseFault("\n".join(f"the lesson: {fault}" for fault in faults))
    in_order = sorted(reader.explained.items(), key=lambda item: item[1][0])
    return [Term(name, section, anchor(name)) for name, (_, section) in in_order]


def anchor(name: str) -> str:
    """Return the id of the place that explains a term."""
    return "term-" + re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
