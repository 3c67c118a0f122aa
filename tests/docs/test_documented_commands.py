"""A page's commands are read and typed as its reader would."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.documented_commands import Block, Shell, blocks, spans

PAGE = """\
Go there with `cd`, or see [the table](#t).

```sh
mkdir course && cd course
export WHO=ada      # a comment
```

| command | does |
|---|---|
| `make it` | it |

    not typed

```sh student
echo "$WHO in ${PWD##*/}"
```

```toml
not = "typed"
```
"""


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """Return a page."""
    path = tmp_path / "page.md"
    path.write_text(PAGE, encoding="utf-8")
    return path


def shell(folder: Path) -> Shell:
    """Return a shell in a folder."""
    return Shell(folder, {"PATH": os.defpath})


def test_blocks_of_the_language_are_read_with_their_places_and_words(page: Path) -> None:
    """Only fenced blocks of that language are commands."""
    first, second = blocks(page)
    assert (first.where, first.words) == ("page.md:3", ())
    assert first.text.splitlines()[0] == "mkdir course && cd course"
    assert (second.where, second.words) == ("page.md:14", ("student",))
    assert [block.text for block in blocks(page, "toml")] == ['not = "typed"\n']


def test_spans_are_read_from_text_and_tables(page: Path) -> None:
    """What stands between backticks is found wherever it stands."""
    assert spans(page) == ["cd", "make it"]


def test_shell_keeps_folder_and_exports_from_block_to_block(page: Path, tmp_path: Path) -> None:
    """A reader has one shell for the whole page."""
    person = shell(tmp_path)
    first, second = blocks(page)
    assert person.run(first) == ""
    assert person.run(second) == "ada in course\n"
    assert person.folder == tmp_path / "course"


@pytest.mark.parametrize("text", ["false\ntrue\n", "false | true\n", "no-such-command\n"])
def test_failure_anywhere_in_a_block_fails(tmp_path: Path, text: str) -> None:
    """The message says which block, and what it printed."""
    with pytest.raises(AssertionError, match=r"page\.md:7 ended with"):
        shell(tmp_path).run(Block("page.md:7", (), text))


def test_another_exit_code_can_be_due(tmp_path: Path) -> None:
    """Then success is a failure."""
    person = shell(tmp_path)
    assert person.run(Block("page.md:7", (), "echo no\nexit 3\n"), code=3) == "no\n"
    with pytest.raises(AssertionError, match="ended with 0"):
        person.run(Block("page.md:7", (), "true\n"), code=3)


def test_running_ends_what_it_started(tmp_path: Path) -> None:
    """A server goes when the test is done with it."""
    with shell(tmp_path).running(Block("page.md:1", (), "sleep 600\n"), tmp_path / "log") as process:
        assert process.poll() is None
    assert process.returncode is not None
