"""Runs a cell of the student's as IPython would, and passes over what only the whole notebook could run.

Given cells that draw or train are not run before student code, so a name of theirs is missing here. A statement of a
student's own cell that needs one (a figure, a try-out of an answer) is left out; what follows it in the cell is run.
"""

from __future__ import annotations

import ast
import linecache
from types import CodeType
from typing import Any

from autograder.box.failures import cell_name
from autograder.box.ipython import FUTURES, bound_names, compile_cell, compile_part, parse_cell, run_code


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
        statements = None  # that `code` runs; parsed only where one is left out
        while True:
            try:
                return run_code(code, self._namespace)
            except NameError as error:
                if error.name not in self._elsewhere:
                    raise
                if statements is None:
                    statements = parse_cell(source).body
                statements = self._behind(_place(error, code), statements)
                if statements is None:
                    raise
            code = compile_part(statements, name, self._futures)

    def _behind(self, place: tuple[int, int] | None, statements: list[ast.stmt]) -> list[ast.stmt] | None:
        """Return the statements behind the one at a place; None where that must not be left out."""
        for index, statement in enumerate(statements):
            if place is not None and (statement.end_lineno, statement.end_col_offset) > place:
                if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                    return None  # an answer or a helper: whoever calls it must read why it is not there
                self._elsewhere |= bound_names(ast.unparse(statement))
                return statements[index + 1 :]
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
