"""Runs a cell of the student's as IPython would, and passes over what only the whole notebook could run.

Given cells that draw or train are not run before student code, so a name of theirs is missing here. A statement of a
student's own cell that needs one (a figure, a try-out of an answer) is left out; what follows it in the cell is run.
"""

from __future__ import annotations

import ast
import linecache
import symtable
from types import CodeType
from typing import Any

from autograder.box.failures import cell_name
from autograder.box.notebook import FUTURES, compile_cell, parse_cell, run_code


class Cells:
    """Runs the cells of one notebook in their order; `elsewhere` are the names that cells bind which are not run."""

    def __init__(self, namespace: dict[str, Any], elsewhere: list[str]) -> None:
        self._namespace = namespace
        self._elsewhere = set(elsewhere)
        self._futures = 0  # flags of the __future__ imports so far, which IPython keeps from cell to cell

    def run(self, number: int, source: str) -> None:
        """Run one cell; raises what it raises."""
        name = cell_name(number)
        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
        code = compile_cell(source, name, self._futures)
        self._futures |= code.co_flags & FUTURES
        try:
            run_code(code, self._namespace)
        except NameError as error:
            rest = self._behind(error, code, source)
            if rest is None:
                raise
        else:
            return
        self._run_rest(name, rest)

    def _run_rest(self, name: str, body: list[ast.stmt] | None) -> None:
        """Run statements, without those that need what is elsewhere."""
        while body:
            code = compile(
                ast.Module(body, []),
                name,
                "exec",
                flags=self._futures | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT,
                dont_inherit=True,
            )
            try:
                run_code(code, self._namespace)
            except NameError as error:
                body = self._after(error, code, body)
                if body is None:
                    raise
            else:
                return

    def _behind(self, error: NameError, code: CodeType, source: str) -> list[ast.stmt] | None:
        if error.name not in self._elsewhere:
            return None
        return self._after(error, code, parse_cell(source).body)

    def _after(self, error: NameError, code: CodeType, body: list[ast.stmt]) -> list[ast.stmt] | None:
        """Return the statements behind the one that failed; None where it must not be left out."""
        place = _place(error, code)
        if error.name not in self._elsewhere or place is None:
            return None
        for index, statement in enumerate(body):
            if (statement.end_lineno, statement.end_col_offset) > place:
                if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                    return None  # an answer or a helper: whoever calls it must read why it is not there
                self._elsewhere |= _bound(statement)
                return body[index + 1 :]
        return None


def _place(error: BaseException, code: CodeType) -> tuple[int, int] | None:
    """Return line and column of the instruction of a cell's own code that an exception came through."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code is not code:
        trace = trace.tb_next
    if trace is None:
        return None
    line, _, column, _ = list(code.co_positions())[trace.tb_lasti // 2]
    return None if line is None or column is None else (line, column)


def _bound(statement: ast.stmt) -> set[str]:
    """Return the names that a statement would have bound."""
    table = symtable.symtable(ast.unparse(statement), "<statement>", "exec")
    return {symbol.get_name() for symbol in table.get_symbols() if symbol.is_assigned() or symbol.is_imported()}
