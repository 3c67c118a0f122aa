"""What a check asks of a student's code comes back as a value, or as the reason why there is none."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from autograder.box.messages import ProbeQuestion, Question, StandInQuestion
from autograder.checking import Call, CheckFailed, Model, ModelState, Probe, Reply, Rows, Status
from autograder.nbgrader_host.kernel import LocalStudent

ONES = {"weight": torch.ones(1, 2), "bias": torch.zeros(1)}
BILINEAR = {"in1_features": 2, "in2_features": 2, "out_features": 1}
OWN = Model("Own", ONES, {"in_features": 2, "out_features": 1}, notebook=True)


def of(source: str) -> LocalStudent:
    """Return a student with these definitions."""
    namespace: dict[str, Any] = {"torch": torch}
    exec(source, namespace)
    return LocalStudent(namespace)


def test_a_model_is_evaluated_by_the_class_that_the_notebook_leaves() -> None:
    """Without gradients, whatever the student's functions are called."""
    student = of("class Own(torch.nn.Linear):\n    pass\ndef change():\n    global Own\n    Own = torch.nn.Bilinear")
    student.call("change")
    model = Model("Own", {"weight": torch.ones(1, 2, 2), "bias": torch.zeros(1)}, BILINEAR, notebook=True)
    reply = student.evaluate(model, torch.tensor([[1.0, 2.0]]), torch.ones(1, 2))
    assert (reply.value.tolist(), reply.requires_grad) == ([[6.0]], False)


@pytest.mark.parametrize(
    "source",
    [
        "class Own(torch.nn.Linear):\n    def forward(self, x): return 1 / 0",
        "class Own:\n    def __init__(self, **_): 1 / 0",
    ],
    ids=["forward", "init"],
)
def test_a_class_that_raises_fails_under_its_own_name(source: str) -> None:
    """When it is built as well as when it is called."""
    with pytest.raises(CheckFailed, match=r"^Own raised ZeroDivisionError") as caught:
        of(source).evaluate(OWN, torch.ones(1, 2))
    assert caught.value.status is Status.RUNTIME


@pytest.mark.parametrize("source", ["", "f = 3"], ids=["missing", "no function"])
def test_a_function_that_is_not_there_is_told_as_such(source: str) -> None:
    """By a call of it, and by rounds, of which none is begun."""
    student = of(f"{source}\ncalls = []\ndef g(x):\n    calls.append(1)\n    return x\ndef count(): return len(calls)")
    one = Rows(torch.ones(1, 2))
    for ask in (lambda: student.call("f", 1.0), lambda: student.rounds([Call("g", (one,)), Call("f", (one,))], 1)):
        with pytest.raises(CheckFailed, match="defines no function f") as caught:
            ask()
        assert caught.value.status is Status.NOT_ATTEMPTED
    assert student.call("count").value == 0


@pytest.mark.parametrize("error", [IndexError, KeyError, TypeError, RuntimeError, MemoryError, AssertionError, OSError])
def test_an_answer_that_raises_is_none(error: type[Exception]) -> None:
    """A probe's and a stand-in's alike: what a box asks can be anything, and is its own submission's fault."""

    def answer(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        raise error("no")

    student, asked = of("def f(x, t): return x"), [torch.ones(1, 2), torch.ones(1)]
    student.stand_in("f", answer)
    assert student.answer(ProbeQuestion(0, asked), [Probe(answer)]) is None
    assert student.answer(StandInQuestion("f", asked)) is None


@pytest.mark.parametrize("question", [ProbeQuestion(1, []), ProbeQuestion(2**31, []), StandInQuestion("g", [])])
def test_nobody_answers_for_what_is_not_there(question: Question) -> None:
    """A probe that was never handed over, a function that nobody stands in for."""
    assert of("").answer(question, [Probe(torch.add)]) is None


@pytest.mark.parametrize(
    "value", [[[[]] * 9000], ("x" * 9000,), {"a": [1.0]}, "x" * 9000, 2**62, 0.5, True, None], ids=type
)
def test_what_is_no_tensor_is_kept_by_its_type_alone(value: Any) -> None:
    """A thousand questions of lists in lists would fill the judge's memory, from a few bytes each."""
    probe = Probe(torch.add)
    student = of("")
    assert student.answer(ProbeQuestion(0, [torch.ones(1, 2), value]), [probe]) is None
    kept = probe.questions[0].t
    assert type(kept) is type(value)
    assert not kept


STATE = ModelState({}, {}, {}, False, False)


@pytest.mark.parametrize(
    ("given", "left", "else_"),
    [
        (torch.ones(2, 2), torch.zeros(2, 2), torch.zeros(1000, 1000)),
        (OWN, STATE, torch.zeros(1000)),
        ([1.0], [2.0], STATE),
        (3, None, 4),
        (3, None, [[[]] * 9000]),
        (Probe(torch.add), None, STATE),
    ],
    ids=["tensor", "model", "list", "number", "lists", "probe"],
)
def test_of_an_argument_is_left_what_can_be(given: Any, left: Any, else_: Any) -> None:
    """A box that reports something else, or more arguments than there were, has not filled the judge's memory."""

    class Forging(LocalStudent):
        def request(self, message: Any, answer: Any) -> Any:
            return Reply(1.0, "float", False, reported, False, False, [])

    for reported, kept in (([left], left), ([left, else_], left), ([else_], None), ([], ())):
        found = Forging({}).call("f", given).arguments
        assert len(found) == min(1, len(reported))
        assert not found or found[0] is kept
