"""The visible part of the test cells: a time without a trailing axis, and what the cells leave behind."""

import json
import re
import statistics

import numpy as np
import pytest
import torch

from tests.notebooks import COURSE, assignment, blank_notebook, cell, reference_answers

# The answer with an expression in place of a time's trailing axis, for each task that has one.
ANSWERS = {
    "noisy_sample": "def noisy_sample(x_0, epsilon, t):\n    t = {axis}\n    return (1 - t) * x_0 + t * epsilon",
    "teacher_ode_step": (
        "def teacher_ode_step(teacher, x_tn1, t_n1, t_n):\n    with torch.no_grad():\n"
        "        v, t = teacher(x_tn1, t_n1), t_n1 - t_n\n        return x_tn1 - {axis} * v"
    ),
    "consistency_training_pair": (
        "def consistency_training_pair(x_0, epsilon, t_n1, t_n):\n    mixed = []\n    for t in (t_n1, t_n):\n"
        "        t = {axis}\n        mixed.append((1 - t) * x_0 + t * epsilon)\n    return mixed"
    ),
}
# Raises where rows and coordinates differ in number, and is silently wrong where they do not.
MISTAKES = ["t", "t.unsqueeze(0)", "t.expand(3, 2)"]
WRONG_FOR_TWO = "(t if len(t) == 2 else t[:, None])"
TRAILING = {
    "noisy_sample": "t[:, None]",
    "teacher_ode_step": "(t_n1 - t_n)[:, None]",
    "consistency_training_pair": "t_n1[:, None]",
}


def run_visible(task, axis):
    """Run a test cell as students get it, over the answer with this axis; return the names it leaves."""
    return run_over(task, ANSWERS[task].format(axis=axis))


def run_over(task, answer):
    """Run a test cell as students get it, over an answer; return the names it leaves."""
    names = kernel({task: answer})
    before = set(names)
    run_cell(f"test_{task}", names)
    return set(names) - before


def kernel(answers):
    """Return the names of a kernel that has run the prelude and the reference's answers but for these."""
    names: dict = {"__name__": "__main__"}
    for each in assignment().prelude:
        exec(each.source, names)
    for each in (reference_answers() | answers).values():
        exec(each, names)
    return names


def run_cell(name, names):
    """Run a cell as students get it."""
    exec(compile(cell(blank_notebook(), name).source, name, "exec"), names)


def said(task, axis):
    """Return what the cell says of an answer."""
    with pytest.raises(AssertionError) as caught:
        run_visible(task, axis)
    return str(caught.value)


@pytest.mark.parametrize("task", ANSWERS)
@pytest.mark.parametrize("axis", MISTAKES)
def test_visible_check_tells_a_time_without_its_axis_in_words(task, axis):
    """The shapes that were given, what to write, and torch's own sentence, in place of torch's error alone."""
    told = said(task, axis)
    assert re.search(r"of shape \(3, 2\) and (t|times) of shape \(3,\)", told)
    assert f"trailing axis, {TRAILING[task]}" in " ".join(told.split())
    assert re.search(r"\(torch: The (size of|expanded size of the) tensor", told)


@pytest.mark.parametrize("task", ANSWERS)
def test_visible_check_finds_the_silent_mistake_in_two_rows(task):
    """With as many rows as coordinates torch computes something: the wrong values are told in a sentence of its own."""
    told = said(task, WRONG_FOR_TWO)
    assert "2 rows" in told
    assert "torch does not complain" in told
    assert TRAILING[task] in told


@pytest.mark.parametrize("task", ANSWERS)
@pytest.mark.parametrize("axis", ["torch.zeros(3, 5) @ t", "exec('raise RuntimeError(\"mine\")')"])
def test_visible_check_leaves_other_errors_as_they_are(task, axis):
    """An error that is not about sizes that must match is the student's to read, with its own words."""
    with pytest.raises(RuntimeError, match=r"mine|size mismatch"):
        run_visible(task, axis)


@pytest.mark.parametrize("task", ANSWERS)
def test_visible_check_holds_for_a_right_answer_and_leaves_no_names_of_its_own(task):
    """Nothing is left behind but what the cell tries the function on."""
    left = run_visible(task, "t[:, None]")
    own = {"x_0", "epsilon", "t", "x_t", "given", "Drift", "drift", "x_tn1", "x_hat_tn", "change", "pair"}
    assert left <= own


def test_visible_check_of_the_pair_takes_one_tensor_of_two():
    """Two points stacked in one tensor unpack into two, and the hidden checks take them."""
    recorded = COURSE / "tests" / "submissions" / "consistency-models" / "consistency_training_pair" / "right_stacked"
    run_over("consistency_training_pair", (recorded / "answer.py").read_text())


@pytest.mark.parametrize("task", reference_answers())
def test_visible_check_leaves_the_generators_as_they_were(task):
    """A cell that is run once more, or left out, changes no figure below it."""
    names = kernel({})
    drawn, numpy_drawn = torch.get_rng_state(), np.random.get_state()[1]
    run_cell(f"test_{task}", names)
    assert torch.equal(torch.get_rng_state(), drawn)
    assert (np.random.get_state()[1] == numpy_drawn).all()


@pytest.mark.parametrize("training", [True, False])
def test_visible_checks_of_the_model_leave_it_as_it_was(training):
    """They look at it in both modes, and give it back in the one that it had."""
    names = trained(0.1)
    names["consistency_model"].train(training)
    drawn = torch.get_rng_state()
    for task in ("boundary_condition", "sample_quality"):
        run_cell(f"test_{task}", names)
    assert names["consistency_model"].training == training
    assert torch.equal(torch.get_rng_state(), drawn)


def trained(error, late=None):
    """Return a kernel whose trained model has this endpoint error, and had that one late in its training."""
    names = kernel({})
    names["consistency_model"] = names["ConsistencyModel"](8)
    names["history"] = {"loss": [], "error": 20 * [1.0] + 20 * [error if late is None else late]}
    names["endpoint_error"] = lambda model: error
    return names


@pytest.mark.parametrize("error", [884_661.0, float("nan"), float("inf")])
def test_visible_check_of_the_quality_says_in_words_that_a_training_ran_away(error):
    """As it does with the two networks exchanged: the number says nothing."""
    with pytest.raises(AssertionError, match="The training has run away") as caught:
        run_cell("test_sample_quality", trained(error))
    assert not re.search(r"884|nan|inf\b", str(caught.value))


@pytest.mark.parametrize(("error", "late"), [(1.8, 1.8), (0.3, 0.35), (0.124, 0.213)])
def test_visible_check_of_the_quality_sees_a_training_that_went_wrong(error, late):
    """The last error alone does not tell a hard copy in every run: the errors on the way do."""
    with pytest.raises(AssertionError, match="Look again at the four functions"):
        run_cell("test_sample_quality", trained(error, late))


def test_quality_threshold_lies_where_it_was_measured():
    """Between all right runs and all runs with a hard copy, and the guide quotes the nearest of them."""
    runs = json.loads((COURSE / "benchmarks" / "results" / "quality_threshold.json").read_text())["runs"]
    last_and_late = {
        name: [max(errors[-1], statistics.median(errors[len(errors) // 2 :])) for errors in by_seed.values()]
        for name, by_seed in runs.items()
    }
    right, copy = last_and_late["right"], last_and_late["ema_update/hard_copy"]
    assert min(len(right), len(copy)) >= 20
    found = re.search(r"max\(error, late\) < (\S+),", cell(blank_notebook(), "test_sample_quality").source)
    threshold = float(found[1])
    assert 1.25 * max(right) < threshold < min(copy) / 1.25
    guide = " ".join((COURSE / "docs" / "extending.md").read_text(encoding="utf-8").split())
    assert f"with {threshold:g}. Over 20 seeds the larger of the two was at most {max(right):.3f} with right" in guide
    assert f"at least {min(copy):.3f} with a hard copy" in guide
