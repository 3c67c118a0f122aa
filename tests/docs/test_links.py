"""What the pages point at is there: links, files, tests, and the settings that they show."""

from __future__ import annotations

import re
import tomllib
from dataclasses import asdict
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from autograder.settings import Settings
from tests.docs.test_documentation import PAGES, ROOT, name
from tests.documented_commands import blocks, spans

ROOMS = ("autograder", "tests", "docs", "source", "release", "benchmarks", ".ci")  # folders of the repository
SEARCHED = ("autograder", "tests", "docs", "benchmarks", "source")


def links(page: Path) -> list[str]:
    """Return where a page's links and pictures lead."""
    inline = [token for token in MarkdownIt().enable("table").parse(page.read_text("utf-8")) if token.children]
    found = [child.attrGet("href") or child.attrGet("src") for token in inline for child in token.children or ()]
    return [str(target) for target in found if target]


def anchors(page: Path) -> set[str]:
    """Return the names that GitHub gives to a page's headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def is_there(path: str) -> bool:
    """Say whether a name between backticks that looks like a file of the repository is one; a `*` stands for names."""
    if re.search(r"[A-Z]{3,}", path) and not path.endswith(".md"):  # STUDENT: the reader's to fill in
        return True
    if path.startswith(tuple(f"{room}/" for room in ROOMS)):
        return any(ROOT.glob(path.rstrip("/")))
    if re.fullmatch(r"\w+\.py", path):
        return (ROOT / path).exists() or any(any((ROOT / room).rglob(path)) for room in SEARCHED)
    if re.fullmatch(r"test_\w+", path):
        return any((ROOT / "tests").rglob(f"{path}.py"))
    return True


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_within_the_repository_lead_somewhere(page: Path) -> None:
    """To a file, and to a heading in it where one is named."""
    for link in links(page):
        path, _, anchor = link.partition("#")
        if not path.startswith("https://"):
            target = (page.parent / path).resolve() if path else page
            assert target.exists(), f"{name(page)} links to {link}"
            assert not anchor or anchor in anchors(target), f"{name(page)} links to {link}"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_files_that_are_named_exist(page: Path) -> None:
    """A module that moves is renamed in the pages, too."""
    paths = [span for span in spans(page) if re.fullmatch(r"[\w.*/-]+", span)]
    assert [path for path in paths if not is_there(path)] == []


def test_a_file_that_is_not_there_is_missed() -> None:
    """A folder, a file name alone and a test's name are all looked for; a reader's own names are not."""
    for gone in ("autograder/nowhere.py", "tests/nowhere/", "nowhere.py", "test_nowhere"):
        assert not is_there(gone), gone
    for there in ("autograder/box/", "tests/*/test_wire.py", "cli.py", "test_wire", "submitted/STUDENT/", "results/"):
        assert is_there(there), there


def test_every_protection_names_tests_that_exist() -> None:
    """docs/security.md: each row of the table has a file of tests, and behind it what names tests of that file."""
    page = ROOT / "docs" / "security.md"
    rows = [line for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    tried = [re.findall(r"`(.+?)`", row.split("|")[-2]) for row in rows[1:]]
    assert len(tried) >= 13
    for cell in tried:
        assert cell[0].startswith("test_"), cell
        for word in cell:
            if word.startswith("test_"):
                (file,) = (ROOT / "tests").rglob(f"{word}.py")
            else:
                pattern = rf"def test_\w*{re.escape(word.removesuffix('...'))}"
                assert re.search(pattern, file.read_text(encoding="utf-8")), f"{file.name} has no test named {word}"


def test_settings_shown_are_the_defaults() -> None:
    """docs/instructor.md shows every setting with its default."""
    (block,) = blocks(ROOT / "docs" / "instructor.md", "toml")
    assert tomllib.loads(block.text) == asdict(Settings())
