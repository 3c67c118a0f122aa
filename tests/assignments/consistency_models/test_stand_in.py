"""A wrong noisy_sample costs its points once: in the tasks whose answers call it, the judge's stands in for it."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from autograder.assignments.consistency_models.stand_in import noisy_sample
from autograder.box.answerer import Answerer
from autograder.box.messages import ProbeQuestion, RunCell, StandIn, StandInQuestion
from autograder.nbgrader_host.kernel import LocalStudent, mark_namespace
from tests import notebooks

X_0, EPSILON = torch.tensor([[1.0, 2.0], [-1.0, 0.5], [0.0, 4.0]]), torch.ones(3, 2)
T = torch.tensor([0.0, 0.5, 1.0])
MIXED = torch.tensor([[1.0, 2.0], [0.0, 0.75], [1.0, 1.0]])
CALLS = {
    "as it is": "noisy_sample(x_0, epsilon, t)",
    "by keywords": "noisy_sample(t=t, x_0=x_0, epsilon=epsilon)",
    "column": "noisy_sample(x_0, epsilon, t[:, None])",
    "vmap": "torch.vmap(lambda *row: noisy_sample(*(each[None] for each in row))[0])(x_0, epsilon, t)",
    "levels": "torch.stack([noisy_sample(x_0[i : i + 1], epsilon[i : i + 1], t[i])[0] for i in range(3)])",
    "scalars under vmap": "torch.vmap(lambda x, e, s: noisy_sample(x[None], e[None], s)[0])(x_0, epsilon, t)",
    "numpy": "torch.cat([noisy_sample(x_0[i : i + 1], epsilon[i : i + 1], t.numpy()[i]) for i in range(3)])",
    "numbers": "torch.cat([noisy_sample(x_0[i : i + 1], epsilon[i : i + 1], float(t[i])) for i in range(3)])",
}
SAMPLER = """
def sample_consistency_multistep(model, n_samples, n_steps, sigma_min=0.002, sigma_max=1.0):
    levels = torch.linspace(sigma_max, sigma_min, n_steps + 1)[:-1]
    with torch.no_grad():
        x_0 = model(torch.randn(n_samples, 2), levels[0].expand(n_samples))
        for s in levels[1:]:
            t = s.expand(n_samples)
            x_0 = model(noisy_sample(x_0, torch.randn(n_samples, 2), t), t)
    return x_0
"""


def student(*cells: str) -> tuple[LocalStudent, dict[str, Any]]:
    """Return a student whose notebook has these cells, and its namespace."""
    namespace: dict[str, Any] = {"torch": torch}
    for cell in cells:
        exec(cell, namespace)
    return LocalStudent(namespace), namespace


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_judge_answers_in_place_of_a_function_that_failed(call: str) -> None:
    """However an answer calls it; afterwards the name is the student's own again, for a kernel's notebook lives on."""
    found, namespace = student(
        "def noisy_sample(*_): raise ValueError", f"def one(x_0, epsilon, t):\n    return {call}"
    )
    own = namespace["noisy_sample"]
    found.stand_in("noisy_sample", noisy_sample)
    assert torch.allclose(found.call("one", X_0, EPSILON, T).value, MIXED)
    assert namespace["noisy_sample"] is own


def test_a_way_of_calling_that_is_the_students_own_is_left_to_it() -> None:
    """Such an answer loses nothing by the stand-in that it would have kept without."""
    found, _ = student("def noisy_sample(both, t): return both[0] + t", "def one(x): return noisy_sample((x, x), 1.0)")
    found.stand_in("noisy_sample", noisy_sample)
    assert found.call("one", X_0).value.equal(X_0 + 1)


def test_later_cells_find_the_stand_in() -> None:
    """Also under another name, and where a cell defines the function once more."""
    answerer = Answerer(namespace := {}, lambda question: noisy_sample(*question.arguments))
    answerer.answer(StandIn("noisy_sample", ["x_0", "epsilon", "t"]))
    wrong = "def noisy_sample(x_0, epsilon, t): return x_0"
    for number, source in enumerate((wrong, "mix = noisy_sample", wrong), 1):
        assert answerer.run_cell(RunCell(number, source.encode(), 10.0)).failure is None
    for name in ("mix", "noisy_sample"):
        assert namespace[name](X_0, EPSILON, T).allclose(MIXED)


def test_a_name_that_the_notebook_does_not_define_stays_undefined() -> None:
    """What is missing is told as missing."""
    found, namespace = student("def one(x): return noisy_sample(x, x, x)")
    found.stand_in("noisy_sample", noisy_sample)
    with pytest.raises(Exception, match="NameError"):
        found.call("one", T)
    assert "noisy_sample" not in namespace


ODD = [
    *([], [X_0], [X_0, EPSILON, T, T], [None, EPSILON, T], [X_0, None, T], [X_0, EPSILON, None]),
    *([X_0, EPSILON, torch.ones(7)], [X_0, EPSILON[:1], T], [torch.ones(3), torch.ones(3), T]),
    *([X_0.long(), EPSILON, T], [X_0, EPSILON, T.long()], [X_0[None], EPSILON[None], T], [X_0[0, 0]] * 3, ["x"] * 3),
]


@pytest.mark.parametrize("arguments", ODD, ids=range(len(ODD)))
def test_odd_questions_are_not_answered(arguments: list[Any]) -> None:
    """A box may send anything as a question of a stand-in."""
    found, _ = student("def noisy_sample(*_): raise ValueError")
    found.stand_in("noisy_sample", noisy_sample)
    assert found.answer(StandInQuestion("noisy_sample", arguments)) is None


def test_only_what_is_stood_in_for_is_answered() -> None:
    """Under the name of the function, and of no other."""
    found, _ = student("def noisy_sample(*_): raise ValueError")
    question = StandInQuestion("noisy_sample", [X_0, EPSILON, T])
    assert found.answer(question) is None
    found.stand_in("noisy_sample", noisy_sample)
    answer = found.answer(question)
    assert answer is not None
    assert answer.allclose(MIXED)
    assert found.answer(StandInQuestion("ema_update", [X_0, EPSILON, T])) is None
    assert found.answer(ProbeQuestion(0, [X_0, T])) is None


def wrong_mixture(**changes: str) -> dict[str, Any]:
    """Return a kernel's namespace with the reference's answers but for noisy_sample, and these."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for cell in notebooks.assignment().prelude:
        exec(cell.source, namespace)
    wrong = "def noisy_sample(x_0, epsilon, t):\n    return x_0 + t[:, None] * epsilon"
    for answer in (notebooks.reference_answers() | {"noisy_sample": wrong} | changes).values():
        exec(answer, namespace)
    return namespace


@pytest.mark.parametrize("task", ["consistency_training_pair", "sample_consistency_multistep"])
def test_wrong_mixture_costs_its_points_once(task: str) -> None:
    """A pair or a sampler that calls it keeps all of its points."""
    namespace = wrong_mixture(sample_consistency_multistep=SAMPLER)
    assert mark_namespace(notebooks.assignment(), namespace, "noisy_sample").score == 0
    result = mark_namespace(notebooks.assignment(), namespace, task)
    assert result.score == result.points


def test_wrong_pair_is_not_excused_by_a_wrong_mixture() -> None:
    """Its own mistake is told as such, whatever noisy_sample does."""
    swapped = "def consistency_training_pair(x_0, epsilon, t_n1, t_n):\n    return tuple(noisy_sample(x_0, epsilon, t) "
    namespace = wrong_mixture(consistency_training_pair=f"{swapped} for t in (t_n, t_n1))")
    mark_namespace(notebooks.assignment(), namespace, "noisy_sample")
    result = mark_namespace(notebooks.assignment(), namespace, "consistency_training_pair")
    assert (result.score, result.checks[0].misconception) == (0, "pair_exchanged")
