"""Magics in a student's cell: what times Python runs it, as IPython would; what is for a shell does nothing."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from autograder.box.failures import describe_failure
from autograder.box.ipython import furnish
from autograder.box.source import compile_cell, run_code


def run(source: str) -> dict[str, Any]:
    """Return the namespace that a cell leaves."""
    namespace: dict[str, Any] = {}
    furnish(namespace)
    run_code(compile_cell(source, "<cell 1>"), namespace)
    return namespace


@pytest.mark.parametrize(
    "source",
    [
        "%time x = 5",
        "x = %time 2 + 3",
        "%%time\nx = 5",
        "%%capture out\nx = 5",
        "!rm x\nx = 5",
        "if True:\n    %time x = 5",
        "files=!ls\nx = 5",
        "x=%time 2 + 3",
        "    x = 5\n    y = 6",
        "\n\n  x = 5",
        ">>> x = 5\n>>> for y in [6]:\n...     z = y",
        "In [3]: def f(a):\n   ...:     return a\n   ...: x = f(5)",
        "%%capture\n!pip install -q einops\nx = 5",
        "%%time\n%%capture\nx = 5",
        "%%capture\n%time x = 5",
        "%prun -q -l 5 f = 1\nx = 5",
        "def f(a):\n    b = %time a + 3\n    return b\nx = f(2)",
        "def f(a):\n    %time print(a)\n    return a\nx = f(5)",
        "files = !ls\nfiles.n, files.s, files.l\nx = 5",
        "r = %timeit -o 1 + 1\nr.best\nx = 5",
        "get_ipython().events.register('post_run_cell', print)\n'a' in get_ipython().config\nx = 5",
        "get_ipython().run_cell('x = 5')",
        "%pylab inline\nx = int(np.sum(ones(5)))\nplt.close()",
    ],
)
def test_cell_with_magics_runs_its_python(source: str) -> None:
    """Its names are the cell's, and an expression has its value."""
    assert run(source)["x"] == 5


@pytest.mark.parametrize("magic", ["%%writefile", "%%file"])
def test_written_file_can_be_imported(magic: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Helpers in a module of the notebook's own are as good as helpers in a cell."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    name = f"helpers_{magic[2:]}"
    run(f"{magic} {name}.py\nx = 5")
    run(f"%%writefile -a {name}.py\ny = x + 1")
    assert run(f"from {name} import y")["y"] == 6


@pytest.mark.parametrize(
    ("line", "x"), [("%run {}.py", 5), ("%run {}", 5), ("%run -i {}.py", 6), ("%run -n '{}.py' --epochs 3", 5)]
)
def test_written_file_can_be_run(line: str, x: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its names are the notebook's; with -i the notebook's are the file's as well."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    written = "%%writefile src/helpers.py\nx = globals().get('y', 4) + 1\ndef f(): return x, __name__"
    namespace: dict[str, Any] = {}
    shell = furnish(namespace)
    for source in (written, f"y = 5\n{line.format('src/helpers')}\nz = f()[0]"):
        run_code(compile_cell(source, "<cell 1>"), namespace)
    assert (namespace["x"], namespace["z"], shell.unrun) == (x, x, [])


@pytest.mark.parametrize(
    ("source", "unrun"),
    [
        ("!pip install -q einops", ["!pip"]),
        ("files = !ls *.py", ["!ls"]),
        ("%pip install einops\n%conda install x\n%pip list", ["%pip", "%conda"]),
        ("%%bash\nrm x", ["%%bash"]),
        ("%load helpers.py", ["%load"]),
        ("%cd /nothing/of/that/name", ["%cd"]),
        ("%%capture\n!wget x", ["!wget"]),
        ("get_ipython().magic('pip install x')\nget_ipython().system('git clone x')", ["%pip", "!git"]),
        ("! <b>x</b>", ["!"]),
        ("%cd .\n%matplotlib inline\n%load_ext autoreload\n%autoreload 2\n%timeit 1 + 1\nprint?\n%%timeit\n1", []),
        ("%%html\n<p>", []),
        ("%%time\n%time x = 1\nget_ipython().magic('matplotlib inline')", []),
    ],
)
def test_what_is_not_run_is_noted(source: str, unrun: list[str]) -> None:
    """As a student writes it, once; what only shows, times or configures is not missed."""
    namespace: dict[str, Any] = {}
    shell = furnish(namespace)
    run_code(compile_cell(source, "<cell 1>"), namespace)
    assert shell.unrun == unrun


def test_folder_is_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To one that is there."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a b").mkdir()
    run("%cd 'a b'")
    assert Path.cwd() == tmp_path / "a b"


def test_captured_output_is_kept() -> None:
    """What the body of `%%capture out` prints is in `out`."""
    assert run("%%capture --no-stderr out\nprint('seen')")["out"].stdout == "seen\n"


def test_failure_in_the_body_of_a_magic_is_at_its_line() -> None:
    """The place that a student reads is in their cell, and its lines are there for torch.jit and the traceback."""
    with pytest.raises(ZeroDivisionError) as caught:
        run("\n%%capture\n%%time\nx = 5\n1 / 0")
    assert describe_failure(caught.value).line == 5
    with pytest.raises(SyntaxError) as broken:
        run("%%time\nx = 5\nx = = 5")
    assert (broken.value.filename, broken.value.lineno) == ("<cell 1>", 3)


def test_timed_body_is_compiled_as_the_cell_alone_says() -> None:
    """No __future__ import of the grader's own reaches it: annotations are objects, as in IPython."""
    assert run("%%time\ndef f(x: int): return x")["f"].__annotations__ == {"x": int}
