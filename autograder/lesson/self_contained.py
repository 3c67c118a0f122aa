"""The lesson's page is of one piece: it asks for no file and no network, and its own links lead somewhere."""

import re
from html.parser import HTMLParser

from autograder.errors import ReleaseFault

_LOADING = ("src", "srcset", "data", "poster", "background", "action")  # what a browser fetches, or sends to, by itself
_LOADED_BY_STYLE = re.compile(r"@import|url\(")


class _Links(HTMLParser):
    """Collects what a page loads, and where its links lead."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.anchors: list[str] = []
        self.wanted: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.loaded += [f'<{tag} {name}="{given[name]}">' for name in _LOADING if name in given]
        self.loaded += [f"<{tag} style>"] if _LOADED_BY_STYLE.search(given.get("style", "")) else []
        self.anchors += [given["id"]] if "id" in given else []
        address = given.get("href", "#")
        if (tag != "a" and "href" in given) or not address.startswith(("#", "https://")):
            self.loaded.append(f'<{tag} href="{address}">')
        elif address.startswith("#") and len(address) > 1:
            self.wanted.append(address[1:])

    def handle_data(self, data: str) -> None:
        if self.cdata_elem == "style":
            self.loaded += [f"<style>: {found}" for found in _LOADED_BY_STYLE.findall(data)]


def prove_whole(page: str) -> None:
    """Raise ReleaseFault that lists what a page would load, its links to nowhere, and anchors that stand twice."""
    links = _Links()
    links.feed(page)
    faults = [f"{what} is not in the page itself; draw it, or write it into the page" for what in links.loaded]
    faults += [f"a link leads to '#{name}', which is nowhere" for name in links.wanted if name not in links.anchors]
    faults += [f"'{name}' is the id of two places" for name in set(links.anchors) if links.anchors.count(name) > 1]
    if faults:
        raise ReleaseFault("\n".join(f"the lesson: {fault}" for fault in sorted(faults)))
