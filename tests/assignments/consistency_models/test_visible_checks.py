"""The visible part of the test cells: what it says of a time without a trailing axis."""

import re

import pytest

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
    names: dict = {"__name__": "__main__"}
    for each in assignment().prelude:
        exec(each.source, names)
    for each in (reference_answers() | {task: answer}).values():
        exec(each, names)
    before = set(names)
    source = cell(blank_notebook(), f"test_{task}").source
    exec(compile(source, f"test_{task}", "exec"), names)
    return set(names) - before


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
    assert left <= {"x_0", "epsilon", "x_t", "Drift", "x_tn1", "x_hat_tn", "pair"}


def test_visible_check_of_the_pair_takes_one_tensor_of_two():
    """Two points stacked in one tensor unpack into two, and the hidden checks take them."""
    recorded = COURSE / "tests" / "submissions" / "consistency-models" / "consistency_training_pair" / "right_stacked"
    run_over("consistency_training_pair", (recorded / "answer.py").read_text())
