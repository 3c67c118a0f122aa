"""The lesson as one page that needs nothing beside it: text, numbers, questions, and what the assignment draws."""

from collections.abc import Callable
from functools import cache, cached_property
from typing import Any, Protocol

from jinja2 import Environment
from markupsafe import Markup

from autograder.assignment import Assignment, load
from autograder.course import AssignmentFolders
from autograder.errors import ReleaseFault
from autograder.lesson.facts import Facts, Runs, load_facts
from autograder.lesson.prose import Prose, read_prose
from autograder.lesson.self_contained import prove_whole
from autograder.lesson.terms import explained_terms
from autograder.render.html import templates_of

WORDS_A_MINUTE = 220
LARGEST_BYTES = 3_000_000  # a phone on a slow line still gets it in a moment; weights are most of it


class Pictures(Protocol):
    """What an assignment draws into its lesson: the class Pictures of its module `lesson_pictures`, if it has one."""

    @property
    def style(self) -> Markup:
        """CSS for the page's head."""

    @property
    def scripts(self) -> Markup:
        """Script elements for the page's end."""

    @property
    def origin(self) -> str:
        """A sentence on where the pictures' data come from."""

    def __contains__(self, name: str) -> bool: ...

    def draw(self, name: str) -> Markup:
        """Return a figure by its name, as SVG or other HTML."""


# From what reads a file of the lesson's folder, the measurements, and the hash of the assignment's prelude.
MakePictures = Callable[[Callable[[str], bytes], Runs, str], Pictures]


class Lesson:
    """The lesson of an assignment: its sources, read and checked, and the page that they make.

    `pictures` makes the figures; without it the lesson has none.
    """

    def __init__(self, folders: AssignmentFolders, pictures: MakePictures | None = None) -> None:
        self._folders, self._folder, self._make_pictures = folders, folders.lesson, pictures

    @cached_property
    def facts(self) -> Facts:
        """What the text may say in numbers."""
        notebook = "\n".join(cell.source for cell in self._assignment.cells)
        return load_facts(self._folder, notebook)

    @cached_property
    def prose(self) -> Prose:
        """The text as HTML."""
        return read_prose(self._read("lesson.md").decode(), self.facts, self._draw)

    @property
    def minutes(self) -> int:
        """How long the text takes to read."""
        return round(self.prose.words / WORDS_A_MINUTE)

    def page(self) -> bytes:
        """Return the page; raises ReleaseFault that says what in the sources must change first."""
        body = self._render("body", lesson=self)
        terms = explained_terms(body, self.facts.terms)
        if unused := self.facts.unused():
            raise ReleaseFault(f"facts.toml lists what lesson.md does not use: {', '.join(unused)}")
        text = self._render("lesson", lesson=self, body=Markup(body), terms=terms)
        prove_whole(text)
        page = text.encode()
        if len(page) > LARGEST_BYTES:
            raise ReleaseFault(f"the lesson has {len(page):,} bytes; at most {LARGEST_BYTES:,} may be sent to a phone")
        return page

    @cached_property
    def pictures(self) -> Pictures | None:
        """The assignment's figures; raises ReleaseFault where their sources do not allow them."""
        if self._make_pictures is None:
            return None
        return self._make_pictures(self._read, self.facts.runs, self._assignment.prelude_sha256)

    @cached_property
    def _assignment(self) -> Assignment:
        return load(self._folders)

    def _draw(self, name: str) -> str:
        if self.pictures is None or name not in self.pictures:
            raise ReleaseFault(f"lesson.md asks for the figure '{name}', which nobody draws")
        return self.pictures.draw(name)

    def _read(self, name: str) -> bytes:
        try:
            return (self._folder / name).read_bytes()
        except OSError as error:
            raise ReleaseFault(f"{self._folder / name} cannot be read: {error.strerror}") from None

    def _render(self, name: str, **context: Any) -> str:
        return _templates().get_template(f"{name}.html.j2").render(context)


def from_template(text: str, **context: Any) -> Markup:
    """Return the HTML of an assignment's own template; every text in it is escaped."""
    return Markup(_templates().from_string(text).render(context))


@cache
def _templates() -> Environment:
    return templates_of("autograder.lesson")
