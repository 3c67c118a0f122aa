"""A wrong noisy_sample costs its points once: in the tasks whose answers call it, the judge's stands in for it."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from autograder.assignments.consistency_models.stand_in import noisy_sample
from autograder.box.messages import ProbeQuestion, StandInQuestion
from autograder.nbgrader_host.kernel import LocalStudent, mark_namespace
from autograder.verdict import CheckFailed
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


@pytest.mark.parametrize("t", ["t[1]", "t[1:2]", "t[1:2, None]", "t[1].item()"])
def test_one_time_stands_for_all_rows(t: str) -> None:
    """As it does for a function that broadcasts."""
    found, _ = student(
        "def noisy_sample(*_): raise ValueError",
        f"def one(x_0, epsilon, t): return noisy_sample(x_0, epsilon, {t})",
    )
    found.stand_in("noisy_sample", noisy_sample)
    assert torch.allclose(found.call("one", X_0, EPSILON, T).value, (1 - T[1]) * X_0 + T[1] * EPSILON)


KEPT = {
    "name": "mix = noisy_sample",
    "default": "def mix(*given, own=noisy_sample): return own(*given)",
    "attribute": "class Own: mix = staticmethod(noisy_sample)\nmix = Own.mix",
    "partial": "from functools import partial\nmix = partial(noisy_sample)",
}


@pytest.mark.parametrize("kept", KEPT.values(), ids=KEPT)
def test_function_is_found_where_a_cell_has_kept_it(kept: str) -> None:
    """Whatever leads to it leads to the judge, and afterwards to the student's own code again."""
    wrong = "def noisy_sample(x_0, epsilon, t): return x_0"
    found, namespace = student(wrong, kept, "def one(x_0, epsilon, t): return mix(x_0, epsilon, t)")
    found.stand_in("noisy_sample", noisy_sample)
    assert torch.allclose(found.call("one", X_0, EPSILON, T).value, MIXED)
    assert namespace["mix"](X_0, EPSILON, T) is X_0


def test_closure_is_replaced_by_its_name_alone() -> None:
    """Python exchanges no code that has variables of an outer function."""
    made = "def make(y):\n    return lambda x_0, epsilon, t: x_0 + y\nnoisy_sample = make(1.0)"
    found, _ = student(made, "def one(x_0, epsilon, t): return noisy_sample(x_0, epsilon, t)")
    found.stand_in("noisy_sample", noisy_sample)
    assert torch.allclose(found.call("one", X_0, EPSILON, T).value, MIXED)


def test_function_that_is_missing_is_answered_too() -> None:
    """A syntax error in its cell costs its own points, not those of who calls it."""
    found, namespace = student(
        "def one(x_0, epsilon, t): return noisy_sample(x_0, epsilon, t)", "def odd(): return noisy_sample()"
    )
    found.stand_in("noisy_sample", noisy_sample)
    assert torch.allclose(found.call("one", X_0, EPSILON, T).value, MIXED)
    with pytest.raises(CheckFailed, match="NameError"):
        found.call("odd")
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
