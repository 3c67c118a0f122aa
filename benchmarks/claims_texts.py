"""Hold the texts to the measurements: every number that notebook or lesson quotes was measured, and is that number.

notebook_quotes.toml has the sentences of the notebook that quote a measurement, with the expression of facts.toml in
the place of each number: `{mean main_teacher.0.9}`, or `{mean strays.jumps_1 as .1%}`. The lesson has facts.toml.
"""

import json
import re
import tomllib
from pathlib import Path

import nbformat
from claims_cells import NOTEBOOK, ROOT

from autograder.course import find_assignment
from autograder.errors import ReleaseFault
from autograder.lesson.facts import Runs
from autograder.release.build import lesson_of

QUOTES = Path(__file__).with_name("notebook_quotes.toml")
TABLES = "claims_text"  # the cell that repeats rows of claims.md
_PLACE = re.compile(r"\{([^{}]+)\}")
# What a text can only have measured: a decimal number, a percentage, so many of 20 runs.
_NUMBER = re.compile(r"(?<![\w.])(?:\d+\.\d+%?|\d+%|\d+ of 20)(?![\w.]*\d)")


def quoted(sentence: str, runs: Runs) -> str:
    """Return a sentence of notebook_quotes.toml with its numbers."""

    def number(place: re.Match[str]) -> str:
        expression, _, form = place.group(1).partition(" as ")
        value = runs.value(expression)
        return f"{value:.0f}" if expression.startswith(("count", "seeds")) else format(value, form or ".3f")

    return _PLACE.sub(number, sentence)


def notebook_faults(notebook: nbformat.NotebookNode, quotes: dict, runs: Runs, tables: str) -> list[str]:
    """Return what the notebook quotes and was not measured, and what it should quote and does not.

    `tables` is the text of claims.md.
    """
    faults, texts = [], {}
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            texts[cell.id] = " ".join(cell.source.split())
    for row in tables.splitlines() if TABLES in texts else ():
        if row.startswith("|"):
            texts[TABLES] = texts[TABLES].replace(" ".join(row.split()), "")
    for cell, sentences in quotes["quotes"].items():
        for sentence in sentences:
            said = quoted(sentence, runs)
            if said not in texts.get(cell, ""):
                faults.append(f"cell {cell} does not say: {said}")
            texts[cell] = texts.get(cell, "").replace(said, "")
    stated = set().union(*quotes["stated"].values())
    for cell, text in texts.items():
        faults += [f"cell {cell} quotes {n}, which was not measured" for n in _NUMBER.findall(text) if n not in stated]
    return faults


def text_faults(record: dict, tables: str) -> list[str]:
    """Return what is wrong with the numbers of notebook and lesson; the lesson's claims.json is that record."""
    quotes = tomllib.loads(QUOTES.read_text(encoding="utf-8"))
    faults = notebook_faults(nbformat.read(NOTEBOOK, as_version=4), quotes, Runs(record), tables)
    folders = find_assignment(ROOT)
    stored = json.loads((folders.lesson / "claims.json").read_text(encoding="utf-8"))
    try:
        lesson_of(folders).page()
    except ReleaseFault as fault:
        faults.append(f"lesson: {fault}")
    return faults + ([] if stored == record else ["the lesson has other measurements"])
