"""The proof that a built release gives nothing away and is one that students can work with."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from html import unescape
from typing import Any

import nbformat

from autograder.errors import ReleaseFault
from autograder.release.source_check import HIDDEN, cell_name, check_metadata, grading, looks_like_marker, regions

# Shorter pieces of an answer (`return x_0`, `else:`) stand in given code as well and give nothing away.
CODE_LENGTH, PROSE_LENGTH, HIDDEN_LENGTH = 12, 20, 8
# Whole lines that answers share with given code.
IDIOMS = ("with torch.no_grad():", "with torch.inference_mode():", "raise NotImplementedError")
PROBE_SECONDS = 120  # importing torch on a busy machine takes 10

# Calls each answer with arguments that allow nothing, so that whatever stands before the stub shows.
PROBE = """
import __future__, inspect, json, sys
work = json.load(sys.stdin)
said = {}
for name, source in work["answers"].items():
    space = {}
    try:
        code = compile(source, name, "exec", __future__.annotations.compiler_flag, True)
        try:
            exec(code, space)
        except NameError:
            exec(work["imports"], space)
            exec(code, space)
        function = space[name]
        needed = [p for p in inspect.signature(function).parameters.values() if p.default is p.empty]
        function(*(object() for _ in needed))
    except NotImplementedError as error:
        said[name] = ["stub", str(error)]
    except BaseException as error:
        said[name] = ["error", f"{type(error).__name__}: {error}"]
    else:
        said[name] = ["returned", ""]
json.dump(said, sys.__stdout__)
"""


def prove_release(source: Any, released: Any) -> None:
    """Raise ReleaseFault that lists every way in which `released` is not the student version of `source`.

    Both are notebooks. Runs the released answer cells, in a process of their own.
    """
    faults = list(_format_faults(source, released))
    if not faults:
        faults = [*_leaks(source, _texts(released)), *_stub_faults(released)]
    if faults:
        raise ReleaseFault("\n".join(f"the built release: {fault}" for fault in faults))


def prove_page(source: Any, page: str) -> None:
    """Raise ReleaseFault that lists the lines of the source notebook's answers and hidden tests that are on a page."""
    faults = list(_leaks(source, [page, unescape(page)]))
    if faults:
        raise ReleaseFault("\n".join(f"the lesson: {fault}" for fault in faults))


def _format_faults(source: Any, released: Any) -> Iterator[str]:
    try:
        nbformat.validate(released)
    except nbformat.ValidationError as error:
        yield f"not a valid notebook: {error}"
    yield from check_metadata(released)
    ids = [[cell.get("id") for cell in notebook.cells] for notebook in (source, released)]
    if ids[0] != ids[1]:
        yield "its cells are not those of the source, in their order"
    for index, cell in enumerate(released.cells):
        name, meta = cell_name(released, index), grading(cell)
        if cell.get("outputs") or cell.get("execution_count") is not None:
            yield f"{name} has outputs or an execution count"
        if cell.get("attachments"):
            yield f"{name} has an attachment, which this proof cannot read; draw it in code or link it"
        if any(looks_like_marker(line) for line in cell.source.splitlines()):
            yield f"{name} still has a marker"
        if meta.get("locked") and cell.metadata.get("editable", True):
            yield f"{name} is locked but can be edited"
        if (meta.get("grade") or meta.get("solution")) and cell.metadata.get("deletable", True):
            yield f"{name} can be deleted"
        if (meta.get("grade") or meta.get("solution")) and len(str(meta.get("checksum", ""))) != 32:
            yield f"{name} has no checksum"


def _leaks(source: Any, texts: Iterable[str]) -> Iterator[str]:
    """Yield the source's cells of which a secret line stands anywhere in what is released, metadata included."""
    given = "\n".join(_squeeze(text) for text in texts)
    for index, cell in enumerate(source.cells):
        asked = _squeeze(_docstrings(cell))
        for region in regions(cell.source)[0]:
            for line in dict.fromkeys(region.lines):
                if any(piece in given and piece not in asked for piece in _pieces(line, region.kind)):
                    yield f"a line of {region.kind} of {cell_name(source, index)} is in it: {line.strip()!r}"


def _docstrings(cell: Any) -> str:
    """Return the docstrings of a code cell: a formula that the question states is not the answer's secret."""
    if cell.cell_type != "code":
        return ""
    try:
        nodes = list(ast.walk(ast.parse(cell.source)))
    except SyntaxError:  # magics; such a cell has no docstring that we could read
        return ""
    return "\n".join(ast.get_docstring(node) or "" for node in nodes if isinstance(node, ast.FunctionDef))


def _pieces(line: str, kind: str) -> Iterator[str]:
    """Yield what is telling of a secret line: its code, the value that it assigns or returns, its comment."""
    if line.strip() in IDIOMS:
        return
    code, _, comment = line.partition("#")
    value = code.strip().removeprefix("return ").rpartition(" = ")[2]
    shortest = HIDDEN_LENGTH if kind == HIDDEN else CODE_LENGTH
    pieces = ((code, shortest), (value, shortest), (comment, PROSE_LENGTH))
    yield from (_squeeze(text) for text, length in pieces if len(_squeeze(text)) >= length)


def _squeeze(text: str) -> str:
    return "".join(text.split())


def _texts(node: Any) -> Iterator[str]:
    """Yield every string in a notebook, keys and metadata too."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for key, value in node.items():
            yield key
            yield from _texts(value)
    elif isinstance(node, list):
        for value in node:
            yield from _texts(value)


def _stub_faults(released: Any) -> Iterator[str]:
    """Yield the answer cells whose function, called, does not say in a sentence that it is not written yet."""
    answers = {
        grading(cell)["grade_id"]: (cell_name(released, index), cell.source)
        for index, cell in enumerate(released.cells)
        if cell.cell_type == "code" and grading(cell).get("solution")
    }
    work = {"imports": _imports(released), "answers": {key: source for key, (_, source) in answers.items()}}
    try:
        probe = subprocess.run(
            [sys.executable, "-I", "-c", PROBE],
            input=json.dumps(work), capture_output=True, text=True, timeout=PROBE_SECONDS, check=False,
        )  # fmt: skip
        said = json.loads(probe.stdout)
    except (subprocess.TimeoutExpired, ValueError) as error:
        yield f"its answer cells cannot be run: {error}"
        return
    for key, (name, _) in answers.items():
        what, text = said[key]
        if what == "returned":
            yield f"{name}: calling {key} returns instead of saying that it is not written yet"
        elif what == "error":
            yield f"{name}: calling {key} says {text!r} before it says that it is not written yet"
        elif len(text.split()) < 4:
            yield f"{name}: calling {key} raises NotImplementedError without a sentence for the student"


def _imports(notebook: Any) -> str:
    """Return the import statements of the prelude, without the rest, which may train and draw."""
    cells = [c.source for c in notebook.cells if "prelude" in c.metadata.get("tags", [])]
    nodes = [node for source in cells for node in ast.parse(source).body]
    return "\n".join(ast.unparse(node) for node in nodes if isinstance(node, (ast.Import, ast.ImportFrom)))
