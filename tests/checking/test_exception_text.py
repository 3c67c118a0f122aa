"""What a student reads of an exception in their code."""

from __future__ import annotations

from typing import Any

import pytest

from autograder.box.messages import Failure
from autograder.checking.exception_text import Place, explain, public_text
from autograder.verdict import CheckFailed, Status

PLACE = Place(
    "ema_update", 14, {14: ["def ema_update(online, target, decay):", "    return 1 / 0"]}, {14: "ema_update"}
)


def failure(**changes: Any) -> Failure:
    """Return what the box says of an exception."""
    return Failure(**{"kind": "runtime", "type": "ValueError", "text": "", "cell": 14, "line": 2} | changes)


def test_explain_names_function_cell_line_and_code() -> None:
    """The student finds the place in their own notebook."""
    message = explain(failure(type="ZeroDivisionError", text="division by zero"), PLACE).message
    assert "ema_update (cell 14) raised ZeroDivisionError (division by zero)" in message
    assert "cell 14 'ema_update', line 2: return 1 / 0" in message


def test_explain_says_that_an_unwritten_function_is_not_written_yet() -> None:
    """The stub's exception is no fault of the student's code."""
    found = explain(failure(kind="not_attempted", type="NotImplementedError"), PLACE)
    assert found.status is Status.NOT_ATTEMPTED
    assert "not written yet" in found.message


@pytest.mark.parametrize("kind", ["passed", "grader_error", "nonsense", ""])
def test_explain_takes_no_status_from_the_box_that_would_pay(kind: str) -> None:
    """A box cannot call its exception a success or the grader's fault."""
    assert explain(failure(kind=kind), PLACE).status is Status.RUNTIME


def test_explain_says_where_a_name_of_a_given_cell_is_missing() -> None:
    """That cell is there, but is not run while marking; of another name it is asked whether it exists."""
    place = Place("ema_update", elsewhere=frozenset({"history"}))
    said = {
        name: explain(failure(type="NameError", text=f"name '{name}' is not defined"), place).message
        for name in ("history", "histroy")
    }
    assert "history comes from a given cell that draws or trains" in said["history"]
    assert "Does the name exist after Restart and Run All?" in said["histroy"]


CELLS = {3: ["import x as y", "z = x + 1"], 4: ["def f(:", "async def g(a):", "from u import v", "i, j[0], k = 1, l"]}
WHY = "cell 3 raised ModuleNotFoundError (No module named 'x')."
BROKEN = CheckFailed(Status.SYNTAX, "Python cannot read the code at cell 4, line 1: def f(:.")


@pytest.mark.parametrize(
    ("name", "missing", "why"),
    [
        ("y", {"y": WHY}, WHY),
        ("history", {"history": WHY}, WHY),
        *((name, {}, BROKEN.message) for name in ("f", "g", "v", "i", "k")),
        *((name, {}, "") for name in ("a", "l", "z", "sin")),
        ("sin", {"*": WHY}, WHY),
    ],
)
def test_explain_names_the_cell_that_would_have_bound_a_name(name: str, missing: dict[str, str], why: str) -> None:
    """That cell's own error is what the student must read; of one that is no Python its text tells what it binds."""
    place = Place("ema_update", None, CELLS, {}, frozenset({"history"}), missing, {4: BROKEN})
    message = explain(failure(type="NameError", text=f"name '{name}' is not defined"), place).message
    assert message.endswith(f"{name} is missing because a cell above failed: {why}" if why else "from the top.")


@pytest.mark.parametrize(
    ("kind", "type", "text"),
    [
        ("runtime", "AssertionError", "Torch not compiled with CUDA enabled"),
        ("runtime", "RuntimeError", "PyTorch is not linked with support for mps devices"),
        ("runtime", "RuntimeError", "Found no NVIDIA driver on your system. Please check that you have an NVIDIA GPU"),
        ("not_attempted", "NotImplementedError", "Could not run 'aten::empty' with arguments from the 'MPS' backend."),
    ],
)
def test_explain_says_what_to_do_without_a_gpu(kind: str, type: str, text: str) -> None:
    """An answer that asks for one is wrong here, in a sentence, and was written."""
    found = explain(failure(kind=kind, type=type, text=text), PLACE)
    assert found.status is Status.RUNTIME
    assert found.message.endswith(
        "no GPU: create tensors on the device of the arguments (x.device), or let torch choose one."
    )


def test_explain_survives_a_place_that_is_not_in_the_notebook() -> None:
    """Cell and line come from the box, so they may be anything."""
    assert "ema_update" in explain(failure(cell=15, line=1), PLACE).message
    assert "ema_update" in explain(failure(cell=14, line=10**9), PLACE).message


def test_public_text_blots_out_numbers_that_could_be_inputs() -> None:
    """Decimals are hidden, the sizes in a shape message stay."""
    text = "The size of tensor a (3) must match 0.12345 and -1e-07, tensor([[1.5000, 2.]])"
    assert public_text(text) == "The size of tensor a (3) must match … and …, tensor([[…, 2.]])"


def test_public_text_is_the_same_each_time() -> None:
    """An address is no matter of the student's, and differs from run to run."""
    assert public_text("<function f at 0x7f9492bcbc40>, 0x1.8p+1") == "<function f at …>, …"


def test_public_text_is_short() -> None:
    """A megabyte of exception text becomes a line."""
    assert len(public_text("a" * 10**6)) == 160


def test_public_text_has_no_control_or_direction_characters() -> None:
    """Terminal codes and bidirectional marks do not reach a report."""
    assert public_text("a\x1b[31m\u202eb\x00\nc") == "a\ufffdb\ufffd c"
