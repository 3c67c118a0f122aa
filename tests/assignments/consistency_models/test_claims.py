"""What notebook and lesson say in numbers is what benchmarks/claims.py has measured."""

import ast
import json
import tomllib

import nbformat
import pytest

from autograder.lesson.facts import Runs
from tests.assignments.consistency_models.test_notebook import NOTEBOOK, RESULTS, ROOT

LESSON = ROOT / "source" / "consistency-models" / "lesson"


@pytest.fixture
def claims_texts(monkeypatch):
    """The module that holds the texts to the measurements."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import claims_texts

    return claims_texts


@pytest.fixture(scope="module")
def record():
    """The measurements."""
    return json.loads((RESULTS / "claims.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def tables():
    """The measurements as tables."""
    return (RESULTS / "claims.md").read_text(encoding="utf-8")


@pytest.fixture
def notebook():
    """The source notebook, a fresh copy."""
    return nbformat.read(NOTEBOOK, as_version=4)


def test_texts_quote_what_was_measured(claims_texts, record, tables):
    """No number of notebook or lesson is without a measurement, and none is another."""
    assert claims_texts.text_faults(record, tables) == []


@pytest.mark.parametrize(
    ("cell", "added", "told"),
    [
        ("ema_what", "It is 0.123 at least.", "quotes 0.123"),
        ("ex3_what", "That is 12% of the points.", "quotes 12%"),
        ("ex4_what", "So it is in 7 of 20 runs.", "quotes 7 of 20"),
        ("claims_text", "| another sampler | 0.321 |", "quotes 0.321"),
    ],
)
def test_quoted_number_without_a_claim_fails(claims_texts, record, tables, notebook, cell, added, told):
    """A number that nobody measured is found, wherever it is written."""
    quotes = tomllib.loads(claims_texts.QUOTES.read_text(encoding="utf-8"))
    next(one for one in notebook.cells if one.id == cell).source += f"\n\n{added}"
    [fault] = claims_texts.notebook_faults(notebook, quotes, Runs(record), tables)
    assert f"cell {cell} {told}, which was not measured" in fault


def test_quoted_number_that_is_another_fails(claims_texts, record, tables, notebook):
    """After another measurement the old number is told, with the sentence as it should be."""
    quotes = tomllib.loads(claims_texts.QUOTES.read_text(encoding="utf-8"))
    moved = record | {"runs": [run | {"off.reused.0.5": 0.777} for run in record["runs"]]}
    faults = claims_texts.notebook_faults(notebook, quotes, Runs(moved), tables)
    assert any("noise_what does not say" in fault and "0.777" in fault for fault in faults)


def test_every_claim_holds_and_names_its_recipe(record):
    """Each comparison held over all seeds, twenty at least."""
    assert [claim["statement"] for claim in record["claims"] if not claim["holds"]] == []
    assert all(claim["recipe"] and claim["margin"] > 0 for claim in record["claims"])
    assert len(record["claims"]) > 40
    assert len(record["runs"]) == record["seeds"] >= 20


def test_claims_are_those_of_the_facts(record):
    """The judged claims are the comparisons of facts.toml, which the lesson's page is held to as well."""
    held = tomllib.loads((LESSON / "facts.toml").read_text(encoding="utf-8"))["holds"]
    assert [claim["statement"] for claim in record["claims"]] == [one["says"] for one in held]


def test_notebook_draws_the_climb_that_was_measured(notebook):
    """The letters in the notebook are the errors of climb.json, to half a letter."""
    cell = next(one for one in notebook.cells if one.id == "climb_figure")
    stored = {}
    for node in ast.parse(cell.source).body[:2]:
        stored[node.targets[0].id] = ast.literal_eval(node.value)
    climb = json.loads((LESSON / "climb.json").read_text(encoding="utf-8"))
    assert [str(decay) for decay in stored["climb_letters"]] == list(climb["thousandths"])
    for decay, letters in stored["climb_letters"].items():
        rows = [climb["thousandths"][str(decay)][climb["steps"].index(step)] for step in stored["climb_steps"]]
        errors = [error for row in rows for error in row]
        assert len(letters) == len(errors)
        assert all(abs(80 * (ord(c) - ord("a")) - min(e, 2000)) <= 41 for c, e in zip(letters, errors, strict=True))
