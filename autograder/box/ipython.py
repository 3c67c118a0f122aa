"""What a notebook's cell may expect around it: magics, shell escapes, `display`, `get_ipython`.

Magics that wrap Python run it; magics that only show or time something, and everything for a shell, do nothing.
"""

from __future__ import annotations
import __future__

import ast
import asyncio
import inspect
import re
import symtable
import sys
from contextlib import nullcontext
from types import CodeType, SimpleNamespace
from typing import Any

FUTURES = sum({getattr(__future__, name).compiler_flag for name in __future__.all_feature_names})
RUNS_ITS_BODY = frozenset({"time", "capture", "prun"})
WRITES_ITS_BODY = frozenset({"writefile", "file"})
# What IPython's transformer may turn into Python: a magic or its like, pasted prompts, a cell indented as a whole.
PERHAPS_IPYTHON = re.compile(r"^[ \t]*(?:[%!?]|>>>|In \[)|\?[ \t]*$|=[ \t]*[%!]|\A\s*^[ \t]+\S", re.MULTILINE)
PRUN_OPTIONS = re.compile(r"\A(?:\s*(?:-[rq]|-[lsTD]\s*\S+)(?=\s))*")

PYLAB = """
import matplotlib, numpy
from matplotlib import pylab, pyplot
np, plt = numpy, pyplot
from pylab import *
from numpy import *
"""


def compile_cell(source: str, name: str, flags: int = 0, first_line: int = 1) -> CodeType:
    """Compile a cell, or a part of one that begins at `first_line`, as IPython would.

    Magics become calls, a top-level await is allowed; `flags` are those of __future__ imports in earlier cells.
    """
    flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    if "\0" in source:  # Python before 3.11.4 raises a ValueError for it
        error = SyntaxError("source code string cannot contain null bytes")
        error.filename = name
        raise error
    try:
        code: CodeType = compile("\n" * (first_line - 1) + source, name, "exec", flags=flags, dont_inherit=True)
    except SyntaxError:
        if not PERHAPS_IPYTHON.search(source):
            raise
        code = compile(_lines_kept(source, first_line), name, "exec", flags=flags, dont_inherit=True)
    return code


def compile_part(statements: list[ast.stmt], name: str, flags: int = 0) -> CodeType:
    """Compile some statements of a cell's tree, as `compile_cell` does all of them."""
    flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    code: CodeType = compile(ast.Module(statements, []), name, "exec", flags=flags, dont_inherit=True)
    return code


def bound_names(source: str) -> set[str]:
    """Return the names that a cell of plain Python binds; none of one with magics."""
    try:
        symbols = symtable.symtable(source, "<cell>", "exec").get_symbols()
    except SyntaxError:
        return set()
    return {symbol.get_name() for symbol in symbols if symbol.is_assigned() or symbol.is_imported()}


def parse_cell(source: str) -> ast.Module:
    """Return the tree of what `compile_cell` compiles."""
    try:
        return ast.parse(source)
    except SyntaxError:
        return ast.parse(_lines_kept(source, 1))


def run_code(code: CodeType, namespace: dict[str, Any]) -> None:
    """Run a compiled cell to its end, its top-level awaits too."""
    result = eval(code, namespace)
    if inspect.iscoroutine(result):
        asyncio.run(result)


def _lines_kept(source: str, first_line: int) -> str:
    """Return a cell as IPython's own transformer makes it, its lines at their old numbers."""
    # Imported only when needed: it takes a third of a second, and few answers hold a magic.
    from IPython.core.inputtransformer2 import TransformerManager

    text = source.lstrip("\n")  # as the transformer does
    python = str(TransformerManager().transform_cell(text))  # type: ignore[no-untyped-call]
    return "\n" * (first_line - 1 + len(source) - len(text)) + python


class Nothing:
    """Stands for the parts of IPython that are not here: whatever is asked of it does nothing."""

    def __getattr__(self, name: str) -> Nothing:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *_: Any, **__: Any) -> Nothing:
        """Do nothing."""
        return self

    def __getitem__(self, _: Any) -> Nothing:
        return self

    def __contains__(self, _: Any) -> bool:
        return False

    def __bool__(self) -> bool:
        return False


class Shell:
    """Stands where IPython's shell would: `get_ipython()` returns it."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        self.user_ns = namespace

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Nothing()

    def run_line_magic(self, name: str, line: str, *_: Any, **__: Any) -> Any:
        """Run the statement of `%time`, or return its value for `x = %time f()`; ignore nearly every other line magic.

        `x = %timeit -o f()` has a result as if all had taken a second; `%pylab` gives its names.
        """
        if name == "timeit" and "-o" in line.split():
            return SimpleNamespace(best=1.0, worst=1.0, average=1.0, stdev=0.0, loops=1, repeat=1, all_runs=[1.0])
        if name == "pylab":
            exec(PYLAB, self.user_ns)
        if name not in RUNS_ITS_BODY:
            return None
        if name == "prun":
            line = PRUN_OPTIONS.sub("", line)
        frame = sys._getframe(1)  # of the cell, or of a function in it, whose variables the statement may use
        place = frame.f_code.co_filename, frame.f_code.co_flags & FUTURES
        names = frame.f_locals if frame.f_globals is self.user_ns else self.user_ns
        try:
            value = compile(line.strip(), place[0], "eval", flags=place[1], dont_inherit=True)
        except SyntaxError:
            exec(compile_cell(line, *place, frame.f_lineno), self.user_ns, names)
            return None
        return eval(value, self.user_ns, names)

    def run_cell_magic(self, name: str, line: str, cell: str) -> None:
        """Run the body of `%%time` and its like; ignore `%%bash` and every other cell magic."""
        if name in WRITES_ITS_BODY:
            self._write(line, cell)
        if name not in RUNS_ITS_BODY:
            return
        frame = sys._getframe(1)
        code = compile_cell(cell, frame.f_code.co_filename, frame.f_code.co_flags & FUTURES, frame.f_lineno + 1)
        output = [word for word in line.split() if not word.startswith("-")] if name == "capture" else []
        with _captured() if output else nullcontext() as captured:
            run_code(code, self.user_ns)
        if output:
            self.user_ns[output[0]] = captured

    def run_cell(self, source: str, *_: Any, **__: Any) -> None:
        """Run a cell that is made while another one runs."""
        run_code(compile_cell(source, "<made>"), self.user_ns)

    def system(self, command: str) -> None:
        """Ignore `!command`: no shell runs while grading."""

    def getoutput(self, command: str) -> list[str]:
        """Return no lines for `x = !command`."""
        from IPython.utils.text import SList

        return SList()

    def magic(self, text: str) -> None:
        """Ignore a magic in its old form."""

    def _write(self, line: str, cell: str) -> None:
        """Write the file of `%%writefile [-a] FILE`, which a later cell may import."""
        words = line.split()
        with open(words[-1].strip("\"'"), "a" if words[0] in ("-a", "--append") else "w", encoding="utf-8") as file:
            file.write(cell)
        if "" not in sys.path:  # where Jupyter's kernel has it
            sys.path.insert(0, "")


def _captured() -> Any:
    """Return what `%%capture out` calls out."""
    from IPython.utils.capture import capture_output

    return capture_output()


def furnish(namespace: dict[str, Any]) -> None:
    """Put into a namespace what IPython would have put there."""
    shell = Shell(namespace)
    namespace["get_ipython"] = lambda: shell
    namespace["display"] = lambda *objects, **_: None
    namespace["In"], namespace["Out"] = [""], {}
