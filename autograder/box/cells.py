"""Runs a cell of the student's as IPython would, and goes on behind a statement that fails.

What a statement that failed would have bound is missing until the cell ends, whatever stood there before, so that a
later statement that reads it is passed over too. Given cells that draw or train are not run before student code, so a
name of theirs is missing here; a statement that needs one (a figure, a try-out of an answer) is no failure.
"""

from __future__ import annotations

import ast
import builtins
import dis
import linecache
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import CodeType
from typing import Any, Generic, TypeVar

from autograder.box.ipython import furnish
from autograder.box.source import (
    FUTURES,
    bound_names,
    compile_cell,
    compile_part,
    parse_cell,
    read_names,
    run_code,
)

PYTHONS = vars(builtins)
OWN = dict(PYTHONS)  # a name that a cell gives to something else there is everybody's, ours too
D = TypeVar("D")  # what describes an exception


@dataclass
class Failed(Generic[D]):
    """Why a statement failed, and the names that are missing for it ("*": some that cannot be known)."""

    why: D
    names: set[str] = field(default_factory=set)


@dataclass
class Ran(Generic[D]):
    """What a cell ended with: what failed in it, in order, and which magics were not run."""

    failures: list[Failed[D]]
    unrun: list[str]


class Cells(Generic[D]):
    """Runs the cells of one notebook in their order.

    `describe` turns an exception into what is kept of it, `stop` is the one that ends a cell, `elsewhere` are the names
    that cells bind which are not run.
    """

    def __init__(
        self,
        namespace: dict[str, Any],
        describe: Callable[[BaseException], D],
        stop: type[BaseException],
        elsewhere: list[str] | None = None,
    ) -> None:
        self._namespace = namespace
        self._describe = describe
        self._stop = stop
        self._elsewhere = set(elsewhere or [])
        self._futures = 0  # flags of the __future__ imports so far, which IPython keeps from cell to cell
        self._failures: list[Failed[D]] = []
        self._missing: dict[str, Failed[D]] = {}  # in the cell that runs
        self._hidden: dict[str, Any] = {}  # what earlier cells have bound to such names
        self._shell = furnish(namespace, self._run)

    def run(self, name: str, source: str) -> Ran[D]:
        """Run one cell under a file name; nothing is raised."""
        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
        self._failures, self._missing, self._hidden, self._shell.unrun = [], {}, {}, []
        try:
            self._run(source, name)
        except BaseException as error:  # no Python, or out of time
            PYTHONS.update(OWN)
            self._failures.insert(0, Failed(self._describe(error)))
        PYTHONS.update(OWN)
        for missing, value in self._hidden.items():
            self._namespace.setdefault(missing, value)
        return Ran(self._failures, self._shell.unrun)

    def _run(self, source: str, name: str, first_line: int = 1) -> None:
        """Run a cell, or the part of one that a magic runs."""
        code = compile_cell(source, name, self._futures, first_line)
        self._futures |= code.co_flags & FUTURES
        rest: list[ast.stmt] = []
        try:
            run_code(code, self._namespace)
        except BaseException as error:
            if self._is_over(error):
                raise
            rest = self._behind(error, code, parse_cell(source, first_line).body)
        for statement in rest:
            self._run_statement(statement, name)

    def _run_statement(self, statement: ast.stmt, name: str) -> None:
        # A name that Python itself has too would be found there.
        hidden = self._missing.keys() & vars(builtins).keys() - self._namespace.keys()
        if hidden := hidden and hidden & read_names(statement):
            self._pass_over([statement], NameError(name=min(hidden)))
            return
        try:
            run_code(compile_part([statement], name, self._futures), self._namespace)
        except BaseException as error:
            if self._is_over(error):
                raise
            self._pass_over([statement], error)

    def _behind(self, error: BaseException, code: CodeType, statements: list[ast.stmt]) -> list[ast.stmt]:
        """Return the statements that are still to be run after this exception."""
        place = _place(error, code)
        for index, statement in enumerate(statements):
            if place is not None and (statement.end_lineno, statement.end_col_offset) > place:
                rest = [part for each in statements[index + 1 :] for part in _apart(each)]
                if len(parts := _apart(statement)) > 1:
                    return parts + rest
                self._pass_over([statement], error)
                return rest
        self._pass_over(statements, error)
        return []

    def _pass_over(self, statements: list[ast.stmt], error: BaseException) -> None:
        """Note that statements were not run, and hide what they would have bound."""
        names = {name for statement in statements for name in _bound(statement)}
        names.update(*(_global_names(code) for code, space in _frames(error) if space is self._namespace))
        missing = str(error.name) if isinstance(error, NameError) else ""
        # An answer or a helper is told of: whoever calls it must read why it is not there.
        definition = any(isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) for each in statements)
        if missing in self._elsewhere and not definition:
            self._elsewhere |= names
            return
        if missing not in self._missing:
            self._failures.append(Failed(self._describe(error)))
        failed = self._missing.get(missing, self._failures[-1])
        failed.names |= names
        self._missing.update(dict.fromkeys(names, failed))
        for name in names & self._namespace.keys():
            self._hidden[name] = self._namespace.pop(name)

    def _is_over(self, error: BaseException | None) -> bool:
        """Say whether an exception ends the cell, which may have made another one of it; first put builtins right."""
        PYTHONS.update(OWN)
        for _ in range(10):
            if isinstance(error, self._stop):
                return True
            error = error.__context__ if error is not None else None
        return False


def _bound(statement: ast.stmt) -> set[str]:
    source = ast.unparse(statement)
    unknown = "run_line_magic('run'" in source or source.endswith(" import *")
    return bound_names(source) | ({"*"} if unknown else set())


def _apart(statement: ast.stmt) -> list[ast.stmt]:
    """Return an import of several names as several imports, anything else as it is."""
    if not isinstance(statement, ast.Import | ast.ImportFrom):
        return [statement]
    fields = dict(ast.iter_fields(statement))
    return [ast.copy_location(type(statement)(**fields | {"names": [name]}), statement) for name in statement.names]


def _frames(error: BaseException) -> Iterator[tuple[CodeType, dict[str, Any]]]:
    """Walk through the code that an exception came through, with its globals."""
    trace = error.__traceback__
    while trace is not None:
        yield trace.tb_frame.f_code, trace.tb_frame.f_globals
        trace = trace.tb_next


def _global_names(code: CodeType) -> set[str]:
    """Return the names that a function declares global and binds."""
    return {step.argval for step in dis.get_instructions(code) if step.opname == "STORE_GLOBAL"}


def _place(error: BaseException, code: CodeType) -> tuple[int, int] | None:
    """Return line and column of the instruction of a cell's own code that an exception came through."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code is not code:
        trace = trace.tb_next
    if trace is None:
        return None
    line, _, column, _ = list(code.co_positions())[trace.tb_lasti // 2]
    return None if line is None or column is None else (line, column)
