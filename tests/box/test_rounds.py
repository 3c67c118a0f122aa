"""Calls that travel together: each round sees what it was asked with, and every answer comes back as it was."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from autograder.box.messages import Answers, Columns
from autograder.checking.student import Call, Model, Rows, _in_rounds
from autograder.nbgrader_host.kernel import LocalStudent
from autograder.verdict import CheckFailed, Status

STACK = torch.arange(6.0).reshape(3, 2)
ROWS = STACK.tolist()
AFFINE = {"kind": "Affine", "options": {"dimension": 1}, "slot": "affine"}  # three parameters


def of(source: str) -> LocalStudent:
    """Return a student with these definitions."""
    namespace: dict[str, Any] = {"torch": torch}
    exec(source, namespace)
    return LocalStudent(namespace)


def answers(source: str, *calls: Call, count: int = 3) -> list[Any]:
    """Return what a student with these definitions answers."""
    return of(source).rounds(calls, count)


def test_each_round_gets_its_own_rows() -> None:
    """Calls are made in turn, in each round once, with the rows of that round."""
    source = "seen = 0\ndef f(a, b):\n    global seen\n    seen += 1\n    return a + 10 * b + 100 * seen"
    first, second = answers(source, Call("f", (Rows(STACK), 0.0)), Call("f", (Rows(STACK, 1), Rows(STACK))), count=2)
    assert torch.equal(first, STACK[:2] + torch.tensor([[100.0], [300.0]]))
    assert torch.equal(second, STACK[1:] + 10 * STACK[:2] + torch.tensor([[200.0], [400.0]]))


def test_a_function_that_writes_into_its_arguments_changes_no_other_call() -> None:
    """Rows are shared between calls on the wire alone."""
    first, second = answers(
        "def f(a):\n    return a.mul_(0)\ndef g(a):\n    return a", *(Call(name, (Rows(STACK),)) for name in "fg")
    )
    assert torch.equal(first, torch.zeros(3, 2))
    assert torch.equal(second, STACK)


def test_an_answer_stays_as_it_was_returned() -> None:
    """A function may return the same tensor each time, with other numbers in it."""
    (found,) = answers("out = torch.empty(2)\ndef f(a):\n    return out.copy_(a)", Call("f", (Rows(STACK),)))
    assert torch.equal(found, STACK)


OWN_CLASS = """
class Own(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        return super().__torch_function__(torch.zeros_like if "clone" in str(function) else function, types, args)
def f(a):
    return a.as_subclass(Own)
"""
NO_NUMBERS = """
class Empty(torch.Tensor):
    @staticmethod
    def __new__(cls):
        return torch.Tensor._make_wrapper_subclass(cls, (2,))
    @classmethod
    def __torch_dispatch__(cls, function, types, args=(), kwargs=None):
        return Empty()
def f(a):
    return Empty()
"""


def test_a_tensor_of_a_class_of_its_own_is_read_as_its_numbers() -> None:
    """Whatever that class makes of torch's functions; one that holds no numbers is no answer."""
    (found,) = answers(OWN_CLASS, Call("f", (Rows(STACK),)))
    assert type(found) is torch.Tensor
    assert torch.equal(found, STACK)
    assert answers(NO_NUMBERS, Call("f", (Rows(STACK),))) == [[None] * 3]


@pytest.mark.parametrize("pair", ["a, 2 * a", "[a, 2 * a]", "torch.stack((a, 2 * a))"])
def test_pairs_come_as_pairs(pair: str) -> None:
    """However they travel."""
    (found,) = answers(f"def f(a):\n    return {pair}", Call("f", (Rows(STACK),)))
    assert [[each.tolist() for each in value] for value in found] == [[row, [2 * n for n in row]] for row in ROWS]


@pytest.mark.parametrize("columns", [[], [torch.zeros(2, 2)], [torch.zeros(3), torch.zeros(2)], [torch.tensor(1.0)]])
def test_columns_that_are_none_are_a_crash(columns: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A box may send anything where columns are read."""
    student = of("def f(a):\n    return a")
    monkeypatch.setattr(student, "request", lambda message, _: Answers([Columns(columns)]))
    with pytest.raises(CheckFailed) as caught:
        student.rounds([Call("f", (Rows(STACK),))], 3)
    assert caught.value.status is Status.CRASH


def test_columns_are_counted_before_they_are_taken_apart() -> None:
    """Each row becomes a tensor of the judge's, so a box must not decide how many there are."""
    sent = Columns([torch.zeros(10**6)])
    assert _in_rounds(sent, 3) is sent


def test_answers_that_are_not_alike_come_one_by_one() -> None:
    """So the judge can say which of them is wrong, and how."""
    (found,) = answers(
        "def f(a):\n    return a if a[0] < 1 else a.double() if a[0] < 3 else 'x'", Call("f", (Rows(STACK),))
    )
    assert [getattr(value, "dtype", value) for value in found] == [torch.float32, torch.float64, "x"]


@pytest.mark.parametrize(
    "body",
    [
        "p.data = 7 * torch.ones_like(p)",
        "p.data = torch.zeros(5)",
        "p.data.fill_(7)",
        "p.grad = torch.ones_like(p)",
        "p.requires_grad_(False)",
    ],
)
def test_a_network_is_what_was_asked_about_whatever_an_earlier_call_has_done(body: str) -> None:
    """Weights, gradients and flags are set anew in every round."""
    source = f"""
def f(model):
    found = torch.stack([p.detach().sum() for p in model.parameters()])
    fresh = all(p.grad is None and p.requires_grad for p in model.parameters())
    for p in model.parameters():
        {body}
    return found if fresh else None
"""
    (found,) = answers(source, Call("f", (Model(state=Rows(STACK.reshape(2, 3)), **AFFINE),)), count=2)
    assert torch.equal(found, STACK.reshape(2, 3))


@pytest.mark.parametrize(("restores", "later"), [(True, [3.0, 4.0, 5.0]), (False, [0.0, 0.0, 0.0])])
def test_a_network_that_travels_once_stays_as_it_is_left_or_is_restored(restores: bool, later: list[float]) -> None:
    """So the teacher that a function spoils is seen spoilt, unless that has cost its points already."""
    source = """
def f(model):
    found = torch.stack([p.detach().sum() for p in model.parameters()])
    for p in model.parameters():
        p.data.zero_()
    return found
"""
    student, first = of(source), [3.0, 4.0, 5.0]
    for state, expected in ((torch.tensor(first), first), (None, later)):
        (found,) = student.rounds([Call("f", (Model(state=state, **AFFINE),), restores=restores)], 1)
        assert found.tolist() == [expected]


@pytest.mark.parametrize("body", ["p.data.mul_(0.5)", "p.data = 7 * p.data", "p.grad = torch.ones_like(p)"])
def test_a_call_that_restores_has_the_gradient_of_the_weights_that_were_asked_about(body: str) -> None:
    """What a loss does to the network by the way has cost its points, and bends no gradient."""
    source = f"""
def f(model):
    loss = sum(p.square().sum() for p in model.parameters())  # its gradient is computed from what p is then
    for p in model.parameters():
        {body}
    return loss
"""
    network = Model(state=Rows(STACK.reshape(2, 3)), **AFFINE)
    (found,) = answers(source, Call("f", (network,), "gradient", backward=True, restores=True), count=2)
    assert torch.equal(found, 2 * STACK.reshape(2, 3))


@pytest.mark.parametrize("default", ["torch.set_default_device('meta')", "torch.set_default_dtype(torch.float64)"])
def test_a_network_is_built_as_the_prelude_would_whatever_a_cell_has_set(default: str) -> None:
    """On the CPU and in single precision, with the weights that were asked about."""
    ones = Rows(torch.ones(1, 3))
    student = of(f"{default}\ndef f(model):\n    return model.weight.detach() + 1")
    try:
        (found,) = student.rounds([Call("f", (Model(**AFFINE, state=ones),))], 1)
    finally:
        torch.set_default_device(None)
        torch.set_default_dtype(torch.float32)
    assert (found.dtype, found.tolist()) == (torch.float32, [[[2.0]]])


def test_the_failure_names_the_call_that_failed() -> None:
    """The message is about the function that raised, whichever of the calls it was."""
    with pytest.raises(CheckFailed, match=r"^g raised") as caught:
        answers("def f(a):\n    return a\ndef g(a):\n    raise ValueError", *(Call(n, (Rows(STACK),)) for n in "fg"))
    assert caught.value.status is Status.RUNTIME


@pytest.mark.parametrize("sent", [[], [STACK[:2]], [STACK.sum()], [3], ["abcd"]], ids=repr)
def test_answers_of_another_number_are_refused(sent: list[Any]) -> None:
    """What a box sends as answers need not be as many as were asked for."""
    forger = of("def f(a):\n    return a")
    forger.request = lambda message, answer: Answers(sent)  # type: ignore[method-assign]
    with pytest.raises(CheckFailed) as caught:
        forger.rounds([Call("f", (Rows(STACK),))], 3)
    assert caught.value.status is Status.CRASH
