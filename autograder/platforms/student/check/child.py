"""Runs cells one after the other, in a process of its own: `python -m PACKAGE.child`.

Takes a cell a line from stdin, as JSON, and answers each with a line. What the cells print is not shown, and `input()`
finds nothing to read.
"""

import _thread
import json
import os
import threading
import traceback
from typing import Any

from autograder.box.ipython import furnish
from autograder.box.source import compile_cell, run_code


def main() -> None:
    """Answer until there is nothing more to run."""
    with open(os.dup(0), encoding="utf-8") as questions, open(os.dup(1), "w", encoding="utf-8") as answers:
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nothing, stream)
        namespace: dict[str, Any] = {"__name__": "__main__"}
        furnish(namespace)
        for line in questions:
            answers.write(json.dumps(_run(json.loads(line), namespace)) + "\n")
            answers.flush()


def _run(cell: dict[str, Any], namespace: dict[str, Any]) -> dict[str, Any]:
    """Run a cell; return the error's type, text and place, all empty where there was none."""
    timer = threading.Timer(cell["seconds"], _thread.interrupt_main)
    timer.daemon = True
    try:
        timer.start()
        try:
            run_code(compile_cell(cell["source"], cell["label"]), namespace)
        finally:
            timer.cancel()
    except KeyboardInterrupt as error:
        return _error("Timeout", "", error)
    except SyntaxError as error:
        return _error(type(error).__name__, f"{error.msg} (line {error.lineno})", error)
    except BaseException as error:
        return _error(type(error).__name__, str(error), error)
    return {"error": "", "message": "", "where": ""}


def _error(name: str, message: str, error: BaseException) -> dict[str, Any]:
    """Return it with the last line of a cell that was running; a cell's "file" is its label."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not os.path.isabs(frame.filename)]
    cells = [frame for frame in frames if not frame.filename.startswith("<")]
    where = f"{cells[-1].filename}, line {cells[-1].lineno}" if cells else ""
    return {"error": name, "message": message[:2000], "where": where}


if __name__ == "__main__":
    main()
