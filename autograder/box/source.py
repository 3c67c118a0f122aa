"""The source of a notebook's cell: compiled as IPython would, and the names that it binds and reads."""

from __future__ import annotations
import __future__

import ast
import asyncio
import inspect
import re
import symtable
from collections.abc import Iterator
from types import CodeType
from typing import Any

FUTURES = sum({getattr(__future__, name).compiler_flag for name in __future__.all_feature_names})
# What IPython's transformer may turn into Python: a magic or its like, pasted prompts, a cell indented as a whole.
PERHAPS_IPYTHON = re.compile(r"^[ \t]*(?:[%!?]|>>>|In \[)|\?[ \t]*$|=[ \t]*[%!]|\A\s*^[ \t]+\S", re.MULTILINE)


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


def read_names(statement: ast.stmt) -> set[str]:
    """Return the names that a statement reads when it is run; what is in a function is read when that is called."""

    def read(table: symtable.SymbolTable) -> Iterator[str]:
        at_top = table.get_type() == "module"
        yield from (s.get_name() for s in table.get_symbols() if s.is_referenced() and (at_top or s.is_global()))
        for child in table.get_children():
            if child.get_type() == "class" or child.get_name() in ("listcomp", "setcomp", "dictcomp", "genexpr"):
                yield from read(child)

    plain = _Augmented().visit(ast.parse(ast.unparse(statement)))
    return set(read(symtable.symtable(ast.unparse(plain), "<cell>", "exec")))


class _Augmented(ast.NodeTransformer):
    """Writes `a += b` as `a = a + b`: symtable does not call the first one read."""

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        if not isinstance(node.target, ast.Name):
            return node
        value = ast.BinOp(ast.Name(node.target.id, ast.Load()), node.op, node.value)
        return ast.copy_location(ast.Assign([node.target], value), node)


def parse_cell(source: str, first_line: int = 1) -> ast.Module:
    """Return the tree of what `compile_cell` compiles."""
    try:
        return ast.parse("\n" * (first_line - 1) + source)
    except SyntaxError:
        return ast.parse(_lines_kept(source, first_line))


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
