"""What a notebook's cell may expect around it: magics, shell escapes, `display`, `get_ipython`.

Magics that wrap Python run it; magics that only show or time something do nothing. What others would have done, and
everything for a shell, is left out and noted.
"""

from __future__ import annotations

import itertools
import os
import re
import shlex
import sys
import tokenize
from collections.abc import Callable
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

from autograder.box.source import FUTURES, compile_cell, run_code

RUNS_ITS_BODY = frozenset({"time", "capture", "prun"})
WRITES_ITS_BODY = frozenset({"writefile", "file"})
DONE = frozenset({"cd", "pylab", "run"})
# What shows, times or configures: no name and no value depends on it.
SHOWS = re.compile(
    "alias|autoreload|autosave|clear|colors|config|debug|history|html|javascript|js|latex|load_ext|lprun|lsmagic|magic"
    "|markdown|matplotlib|memit|mprun|page|pdb|pdef|pdoc|pfile|pinfo2?|pprint|precision|psearch|psource|pwd|pycat"
    "|quickref|reload_ext|svg|timeit|unload_ext|who|who_ls|whos|xmode"
)
WORD = re.compile(r"[\w.+-]{0,30}")  # of a command
MOST_NOTES = 10  # of what is left out, in a cell
PRUN_OPTIONS = re.compile(r"\A(?:\s*(?:-[rq]|-[lsTD]\s*\S+)(?=\s))*")

PYLAB = """
import matplotlib, numpy
from matplotlib import pylab, pyplot
np, plt = numpy, pyplot
from pylab import *
from numpy import *
"""


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
    """Stands where IPython's shell would: `get_ipython()` returns it.

    `run` runs Python that a magic holds: its source, a file name, and the number of its first line there.
    """

    def __init__(self, namespace: dict[str, Any], run: Callable[[str, str, int], None] | None = None) -> None:
        self.user_ns = namespace
        self.unrun: list[str] = []  # magics and commands that were left out, as a student writes them
        self._run = run or (lambda source, *place: run_code(compile_cell(source, place[0], 0, place[1]), namespace))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Nothing()

    def run_line_magic(self, name: str, line: str, *_: Any, **__: Any) -> Any:
        """Run the statement of `%time`, or return its value for `x = %time f()`; leave out nearly every other one.

        `x = %timeit -o f()` has a result as if all had taken a second; `%pylab` gives its names, `%run` a file's.
        """
        if name == "timeit" and "-o" in line.split():
            return SimpleNamespace(best=1.0, worst=1.0, average=1.0, stdev=0.0, loops=1, repeat=1, all_runs=[1.0])
        if name == "pylab":
            exec(PYLAB, self.user_ns)
        if name == "run":
            self._run_file(line)
        if name == "cd":
            self._change_folder(line.strip(" \"'"))
        if name not in RUNS_ITS_BODY:
            self._note(f"%{name}", name in DONE)
            return None
        if name == "prun":
            line = PRUN_OPTIONS.sub("", line)
        frame = sys._getframe(1)  # of the cell, or of a function in it, whose variables the statement may use
        place = frame.f_code.co_filename, frame.f_code.co_flags & FUTURES
        names = frame.f_locals if frame.f_globals is self.user_ns else self.user_ns
        try:
            value = compile(line.strip(), place[0], "eval", flags=place[1], dont_inherit=True)
        except SyntaxError:
            if names is self.user_ns:
                self._run(line, place[0], frame.f_lineno)
            else:
                exec(compile_cell(line, *place, frame.f_lineno), self.user_ns, names)
            return None
        return eval(value, self.user_ns, names)

    def run_cell_magic(self, name: str, line: str, cell: str) -> None:
        """Run the body of `%%time` and its like; leave out `%%bash` and every other cell magic."""
        if name in WRITES_ITS_BODY:
            self._write(line, cell)
        if name not in RUNS_ITS_BODY:
            self._note(f"%%{name}", name in WRITES_ITS_BODY)
            return
        frame = sys._getframe(1)
        output = [word for word in line.split() if not word.startswith("-")] if name == "capture" else []
        with _captured() if output else nullcontext() as captured:
            self._run(cell, frame.f_code.co_filename, frame.f_lineno + 1)
        if output:
            self.user_ns[output[0]] = captured

    def run_cell(self, source: str, *_: Any, **__: Any) -> None:
        """Run a cell that is made while another one runs."""
        self._run(source, "<made>", 1)

    def system(self, command: str) -> None:
        """Leave out `!command`: no shell runs while grading."""
        self._note("!" + WORD.findall(command.strip())[0])

    def getoutput(self, command: str) -> list[str]:
        """Return no lines for `x = !command`."""
        self.system(command)
        from IPython.utils.text import SList

        return SList()

    def magic(self, text: str) -> Any:
        """Do what a line magic in its old form does."""
        name, _, line = text.strip().lstrip("%").partition(" ")
        return self.run_line_magic(name, line)

    def _note(self, what: str, is_done: bool = False) -> None:
        is_done = is_done or SHOWS.fullmatch(what.lstrip("%")) is not None
        if not is_done and what not in self.unrun and len(self.unrun) < MOST_NOTES:
            self.unrun.append(what)

    def _change_folder(self, path: str) -> None:
        try:
            os.chdir(os.path.expanduser(path or "~"))
        except OSError:  # IPython prints it
            self._note("%cd")

    def _run_file(self, line: str) -> None:
        """Run `%run [-i] FILE`, which an earlier cell has written; its names are the notebook's afterwards."""
        words = shlex.split(line)
        options = list(itertools.takewhile(lambda word: word.startswith("-"), words))
        path = os.path.expanduser(words[len(options)])
        path = path if os.path.exists(path) or path.endswith(".py") else f"{path}.py"
        with tokenize.open(path) as file:
            code = compile(file.read(), path, "exec", dont_inherit=True)
        if "-i" in options:
            exec(code, self.user_ns)
            return
        names: dict[str, Any] = {"__name__": "__main__", "__file__": path}
        exec(code, names)
        self.user_ns.update({name: value for name, value in names.items() if not name.startswith("__")})

    def _write(self, line: str, cell: str) -> None:
        """Write the file of `%%writefile [-a] FILE`, which a later cell may import or run."""
        words = line.split()
        path = os.path.expanduser(words[-1].strip("\"'"))
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)  # a shell command would have made it
        with open(path, "a" if words[0] in ("-a", "--append") else "w", encoding="utf-8") as file:
            file.write(cell)
        if "" not in sys.path:  # where Jupyter's kernel has it
            sys.path.insert(0, "")


def _captured() -> Any:
    """Return what `%%capture out` calls out."""
    from IPython.utils.capture import capture_output

    return capture_output()


def furnish(namespace: dict[str, Any], run: Callable[[str, str, int], None] | None = None) -> Shell:
    """Put into a namespace what IPython would have put there, and return its shell."""
    shell = Shell(namespace, run)
    namespace["get_ipython"] = lambda: shell
    namespace["display"] = lambda *objects, **_: None
    namespace["In"], namespace["Out"] = [""], {}
    return shell
