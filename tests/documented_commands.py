"""The commands that a page of documentation tells its reader to type, so that a test can type them.

A page's commands are its fenced blocks of the language `sh`. Words behind it are for the test, and no reader sees them:
```sh student    is typed by somebody else than the page's reader
Indented blocks, and blocks in other languages, show something and are not typed.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from markdown_it import MarkdownIt

# What a shell hands on to the next block: where it is, and what is exported.
_HAND_ON = "\nprintf '\\0%s\\0' \"$PWD\"; exec env -0"


@dataclass(frozen=True)
class Block:
    """A fenced block of a page: where it stands, what stands behind its language, and its text."""

    where: str  # page:line
    words: tuple[str, ...]
    text: str


def blocks(page: Path, language: str = "sh") -> list[Block]:
    """Return the fenced blocks of one language, in the order of the page."""
    found = []
    for token in MarkdownIt().parse(page.read_text(encoding="utf-8")):
        if token.type == "fence" and token.info.split()[:1] == [language] and token.map is not None:
            where = f"{page.name}:{token.map[0] + 1}"
            found.append(Block(where, tuple(token.info.split()[1:]), token.content))
    return found


def spans(page: Path) -> list[str]:
    """Return what stands between backticks in running text and tables, in the order of the page."""
    inline = [token for token in MarkdownIt().enable("table").parse(page.read_text("utf-8")) if token.children]
    return [child.content for token in inline for child in token.children or () if child.type == "code_inline"]


@dataclass
class Shell:
    """A person at a shell: a folder and an environment, which last from one block to the next.

    `prefix` is a command that runs the shell, as another user say.
    """

    folder: Path
    environment: Mapping[str, str]
    prefix: Sequence[str] = ()
    log: list[str] = field(default_factory=list)  # what was typed and what came of it, for a person to read

    def run(self, block: Block, seconds: float = 600, code: int = 0) -> str:
        """Type a block and return what it printed; raises AssertionError when it ends with another exit code."""
        run = subprocess.run(
            self._command(block.text + _HAND_ON), cwd=self.folder, env=dict(self.environment), timeout=seconds,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
        printed, _, state = run.stdout.decode(errors="replace").partition("\0")
        self.log.append(f"{block.where}\n{block.text}{printed}")
        assert run.returncode == code, f"{block.where} ended with {run.returncode}:\n{block.text}\n{printed}"
        if code:
            return printed
        folder, *variables = state.rstrip("\0").split("\0")
        self.folder = Path(folder)
        self.environment = dict(variable.split("=", 1) for variable in variables)
        return printed

    @contextmanager
    def running(self, block: Block, output: Path) -> Iterator[subprocess.Popen[bytes]]:
        """Type a block that goes on until it is ended, such as a server; `output` gets what it prints."""
        with open(output, "wb") as file:
            process = subprocess.Popen(
                self._command(f"exec {block.text.strip()}"), cwd=self.folder, env=dict(self.environment),
                stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        try:
            yield process
        finally:
            os.killpg(process.pid, signal.SIGTERM)  # a session of its own: nobody else's
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def _command(self, text: str) -> list[str]:
        return [*self.prefix, "bash", "-e", "-o", "pipefail", "-c", text]
