"""Runs cells one after the other, in a process of its own: `python -m PACKAGE.child`.

Takes a cell a line from stdin, as JSON, and answers each with a line. What the cells print is not shown, and `input()`
finds nothing to read. As in marking, a student's own cell goes on behind a statement that fails, and given code keeps
globals of its own.
"""

import _thread
import builtins
import json
import os
import threading
import traceback
from typing import Any

from autograder.box.cells import Cells
from autograder.box.ipython import furnish
from autograder.box.source import compile_cell, run_code

NO_ERROR = {"error": "", "message": "", "where": ""}


def main() -> None:
    """Answer until there is nothing more to run."""
    with open(os.dup(0), encoding="utf-8") as questions, open(os.dup(1), "w", encoding="utf-8") as answers:
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nothing, stream)
        notebook = Notebook(json.loads(questions.readline()))
        for line in questions:
            answers.write(json.dumps(notebook.run(json.loads(line))) + "\n")
            answers.flush()


class Notebook:
    """The namespaces of a notebook: what its given cells define, and what a student sees."""

    def __init__(self, elsewhere: list[str]) -> None:
        self._given: dict[str, Any] = {"__name__": "__main__"}
        self._student: dict[str, Any] = dict(self._given)
        self._cells = Cells(self._student, _error, KeyboardInterrupt, elsewhere)
        furnish(self._given)
        self._defaults: Any = None

    def run(self, cell: dict[str, Any]) -> dict[str, Any]:
        """Run a cell; return the error's type, text and place, all empty if there was none."""
        timer = threading.Timer(cell["seconds"], _thread.interrupt_main)
        timer.daemon = True
        try:
            timer.start()
            try:
                return self._run_own(cell) if cell["kind"] == "own" else self._run_given(cell)
            finally:
                timer.cancel()
        except BaseException as error:
            return _error(error)

    def _run_own(self, cell: dict[str, Any]) -> dict[str, Any]:
        ran = self._cells.run(cell["label"], cell["source"])
        found = ran.failures[0].why if ran.failures else NO_ERROR
        return {**found, "defined": callable(self._student.get(cell["task"])), "unrun": ran.unrun}

    def _run_given(self, cell: dict[str, Any]) -> dict[str, Any]:
        """Run a given cell, whose names are the given ones, whatever a student has bound them to."""
        if self._defaults is not None:
            self._defaults.put_back()
        if cell["kind"] == "prelude":
            names = self._given
        else:
            own = {name: value for name, value in self._student.items() if not hasattr(builtins, name)}
            names = {**own, **self._given}
        before = dict(names)
        try:
            run_code(compile_cell(cell["source"], cell["label"]), names)
        finally:
            new = {name: value for name, value in names.items() if name not in before or before[name] is not value}
            self._student.update({name: value for name, value in new.items() if name != "__builtins__"})
        if cell["kind"] == "prelude":
            from autograder.box.defaults import Defaults  # with torch, which the first given cell has imported

            self._defaults = Defaults()
        return NO_ERROR


def _error(error: BaseException) -> dict[str, Any]:
    """Return it with the last line of a cell that was running; a cell's "file" is its label."""
    name, message = type(error).__name__, str(error)
    if isinstance(error, KeyboardInterrupt):
        name, message = "Timeout", ""
    elif isinstance(error, SyntaxError):
        message = f"{error.msg} (line {error.lineno})"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not os.path.isabs(frame.filename)]
    cells = [frame for frame in frames if not frame.filename.startswith("<")]
    where = f"{cells[-1].filename}, line {cells[-1].lineno}" if cells else ""
    return {"error": name, "message": message[:2000], "where": where}


if __name__ == "__main__":
    main()
