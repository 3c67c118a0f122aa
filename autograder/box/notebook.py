"""What a notebook's cell may expect around it: magics, shell escapes, `display`, `get_ipython`.

Magics that wrap Python run it; magics that only show or time something, and everything for a shell, do nothing.
"""

from __future__ import annotations

from typing import Any

RUNS_ITS_BODY = frozenset({"time", "capture", "prun"})


def plain_python(source: str) -> str | None:
    """Return a cell with magics turned into calls by IPython's own transformer; None when it has none."""
    lines = (line.lstrip() for line in source.splitlines())
    if not any(line[:1] in ("%", "!", "?") or line.endswith("?") or "= %" in line or "= !" in line for line in lines):
        return None
    # Imported only when needed: it takes a third of a second, and few answers hold a magic.
    from IPython.core.inputtransformer2 import TransformerManager

    return str(TransformerManager().transform_cell(source))  # type: ignore[no-untyped-call]


class Shell:
    """Stands where IPython's shell would: `get_ipython()` returns it."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        self.user_ns = namespace

    def run_line_magic(self, name: str, line: str, *_: Any, **__: Any) -> Any:
        """Run the statement of `%time`, or return its value for `x = %time f()`; ignore every other line magic."""
        if name not in RUNS_ITS_BODY:
            return None
        try:
            value = compile(line, "<magic>", "eval", dont_inherit=True)
        except SyntaxError:
            exec(compile(line, "<magic>", "exec", dont_inherit=True), self.user_ns)
            return None
        return eval(value, self.user_ns)

    def run_cell_magic(self, name: str, line: str, cell: str) -> None:
        """Run the body of `%%time` and its like; ignore `%%bash` and every other cell magic."""
        if name in RUNS_ITS_BODY:
            exec(compile(cell, "<magic>", "exec", dont_inherit=True), self.user_ns)

    def system(self, command: str) -> None:
        """Ignore `!command`: no shell runs while grading."""

    def getoutput(self, command: str) -> list[str]:
        """Return no lines for `x = !command`."""
        return []

    def magic(self, text: str) -> None:
        """Ignore a magic in its old form."""


def furnish(namespace: dict[str, Any]) -> None:
    """Put into a namespace what IPython would have put there."""
    shell = Shell(namespace)
    namespace["get_ipython"] = lambda: shell
    namespace["display"] = lambda *objects, **_: None
    namespace["In"], namespace["Out"] = [""], {}
