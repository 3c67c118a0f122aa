"""The source notebook: its structure, its promises to students, and the numbers in its text."""

import ast
import json
import re
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[3]
NOTEBOOK = ROOT / "source" / "consistency-models" / "consistency-models.ipynb"
RESULTS = ROOT / "benchmarks" / "results"
POINTS = {
    "noisy_sample": 10,
    "teacher_ode_step": 18,
    "consistency_distillation_loss": 20,
    "ema_update": 16,
    "boundary_condition": 2,
    "sample_quality": 10,
    "sample_consistency_multistep": 24,
    "consistency_training_pair": 10,
}
BONUS = "consistency_training_pair"
SIGNATURES = {
    "noisy_sample": "x_0, epsilon, t",
    "teacher_ode_step": "teacher, x_tn1, t_n1, t_n",
    "consistency_distillation_loss": "online, target, x_tn1, t_n1, x_hat_tn, t_n",
    "ema_update": "online, target, decay",
    "sample_consistency_multistep": "model, n_samples, n_steps, sigma_min=0.002, sigma_max=1.0",
    "consistency_training_pair": "x_0, epsilon, t_n1, t_n",
}
# What a docstring must say, so that nobody loses points for a convention that stands nowhere.
STATED = {
    "noisy_sample": ["(B, D)", "(B,)", "(1 - t) x_0 + t epsilon", "stay as"],
    "teacher_ode_step": ["x_tn1 - (t_n1 - t_n) v", "exactly once", "without a gradient", "stay as"],
    "consistency_distillation_loss": ["1 / (B D)", "scalar", "every parameter of", "no parameter of target"],
    "ema_update": ["in place", "decay * target", "(1 - decay) * online", "no gradient", "online stays"],
    "sample_consistency_multistep": [
        "linspace(sigma_max, sigma_min, n_steps + 1) without the last",
        "exactly n_steps times",
        "(1 - s) x_0 + s noise",
        "as it is",
        "No gradient",
        "unscaled",
        "seeded",
    ],
    "consistency_training_pair": ["(x_tn1, x_tn)", "one x_0 and one epsilon"],
}


@pytest.fixture(scope="module")
def notebook():
    """The source notebook."""
    return nbformat.read(NOTEBOOK, as_version=4)


@pytest.fixture(scope="module")
def by_id(notebook):
    """The cells by id."""
    return {cell.id: cell for cell in notebook.cells}


@pytest.fixture(scope="module")
def claims():
    """The measurements that the text quotes."""
    return json.loads((RESULTS / "claims.json").read_text(encoding="utf-8"))


def nbgrader_of(cell):
    """Return a cell's nbgrader metadata, empty if it has none."""
    return cell.metadata.get("nbgrader", {})


def test_notebook_is_valid_nbformat_4_5(notebook):
    """The file follows the schema, with readable cell ids that occur once."""
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", one) for one in ids)
    assert notebook.metadata.kernelspec.name == "python3"


def test_notebook_has_no_outputs(notebook):
    """No output and no execution count is stored."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)


def test_nbgrader_metadata_is_schema_3_and_names_the_cell(notebook):
    """Every nbgrader cell has exactly the schema's fields, and its grade_id is its id."""
    for cell in notebook.cells:
        data = nbgrader_of(cell)
        if data:
            fields = {"schema_version", "grade", "solution", "locked", "task", "grade_id"}
            assert set(data) - {"points"} == fields, cell.id
            assert ("points" in data) == data["grade"], cell.id
            assert data["schema_version"] == 3
            assert data["grade_id"] == cell.id


def test_every_code_cell_is_an_answer_or_locked(notebook):
    """Students write in answer cells; every other code cell is locked."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert nbgrader_of(cell)["solution"] != nbgrader_of(cell)["locked"], cell.id


def test_test_cells_carry_the_contracts_points_in_order(notebook):
    """Eight test cells in the contract's order; 100 points, and the bonus on top."""
    tests = [cell for cell in notebook.cells if "autograder" in cell.metadata]
    found = {cell.metadata.autograder.task: nbgrader_of(cell)["points"] for cell in tests}
    assert list(found.items()) == list(POINTS.items())
    assert [c.metadata.autograder.task for c in tests if c.metadata.autograder.get("bonus")] == [BONUS]
    assert sum(points for task, points in found.items() if task != BONUS) == 100
    assert all(cell.metadata.autograder.title for cell in tests)


def test_test_cells_end_with_the_hidden_call(notebook):
    """Each test cell has visible asserts with messages, then exactly the hidden call."""
    for cell in notebook.cells:
        if "autograder" not in cell.metadata:
            continue
        task = cell.metadata.autograder.task
        hidden = f'### BEGIN HIDDEN TESTS\nfrom autograder.kernel import mark\nmark("{task}")\n### END HIDDEN TESTS'
        visible, mark, rest = cell.source.partition(hidden)
        assert cell.id == f"test_{task}"
        assert mark
        assert not rest
        asserts = [node for node in ast.walk(ast.parse(visible)) if isinstance(node, ast.Assert)]
        assert asserts, task
        assert all(node.msg is not None for node in asserts), task


@pytest.mark.parametrize("task", SIGNATURES)
def test_answer_cell_is_one_function_with_its_contract(by_id, task):
    """An answer cell holds one function, with the contract's signature and a docstring that states it."""
    cell = by_id[task]
    [function] = ast.parse(cell.source).body
    assert isinstance(function, ast.FunctionDef)
    assert function.name == task
    assert ast.unparse(function.args) == SIGNATURES[task]
    said = " ".join(ast.get_docstring(function).split())
    assert [phrase for phrase in STATED[task] if phrase not in said] == []
    assert nbgrader_of(cell) | {"solution": True, "grade": False, "locked": False} == nbgrader_of(cell)


def test_reflections_are_marked_by_hand_with_a_visible_rubric(by_id):
    """Two reflections of 10 points; the rubric is public and the model answer is not."""
    for name in ("reflect_1", "reflect_2"):
        cell = by_id[name]
        assert cell.cell_type == "markdown"
        assert nbgrader_of(cell)["points"] == 10
        assert nbgrader_of(cell)["grade"]
        assert nbgrader_of(cell)["solution"]
        points = [int(n) for n in re.findall(r"(?m)^\| (\d+) \|", by_id[f"{name}_text"].source)]
        assert sum(points) == 10
        assert cell.source.startswith("<!-- ### BEGIN SOLUTION -->")
        assert cell.source.endswith("<!-- ### END SOLUTION -->")


def test_prelude_defines_what_the_judge_needs_and_draws_nothing(notebook):
    """The prelude gives its names, trains nothing and leaves torch's random state alone."""
    import torch

    before = torch.random.get_rng_state()
    names: dict = {}
    for cell in notebook.cells:
        if "prelude" in cell.metadata.get("tags", []):
            assert nbgrader_of(cell)["locked"]
            exec(compile(cell.source, cell.id, "exec"), names)
    wanted = {"ToyModel", "ConsistencyModel", "sample_two_moons", "solve_ode", "ode_endpoint", "train_teacher"}
    assert wanted <= set(names)
    names["sample_two_moons"].__globals__["moons_pool"]()  # making the pool draws nothing either
    assert torch.equal(before, torch.random.get_rng_state())
    first = names["train_teacher"](seed=3, n_steps=4)
    assert torch.equal(before, torch.random.get_rng_state())
    again = names["train_teacher"](seed=3, n_steps=4)
    pairs = zip(first.parameters(), again.parameters(), strict=True)
    assert all(torch.equal(a, b) and not a.requires_grad for a, b in pairs)


def test_every_exercise_begins_with_a_prediction_that_nobody_marks(notebook):
    """Predictions are plain cells."""
    predictions = [c for c in notebook.cells if c.cell_type == "markdown" and "Your prediction" in c.source]
    assert len(predictions) == 5
    assert all(not nbgrader_of(cell) for cell in predictions)


def test_text_quotes_the_table_that_was_measured(notebook, claims):
    """The table in the text is that of claims.md, row by row."""
    rows = [line for line in (RESULTS / "claims.md").read_text(encoding="utf-8").splitlines() if line[:1] == "|"]
    table = next(cell.source for cell in notebook.cells if cell.id == "claims_text")
    quoted = [line for line in table.splitlines() if line.startswith("|")]
    assert len(quoted) > 15
    assert [line for line in quoted if line not in rows] == []
    assert claims["seeds"] >= 20


def test_nothing_of_ours_is_imported_outside_hidden_parts(notebook):
    """A student needs torch, numpy, matplotlib and scikit-learn, may have tqdm; in Colab the last cell asks Colab."""
    allowed = {"torch", "numpy", "matplotlib", "sklearn", "tqdm"} | set(sys.stdlib_module_names)
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        visible = cell.source.partition("### BEGIN HIDDEN TESTS")[0]
        for node in ast.walk(ast.parse(visible)):
            modules = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module] if isinstance(node, ast.ImportFrom) else []
            colab = {"google"} if cell.id == "hand_in" else set()  # asked for in a try: where the notebook's file is
            assert {name.split(".")[0] for name in modules} <= allowed | colab, cell.id
