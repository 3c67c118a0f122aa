"""What checks expect of an answer, each with its one or two sentences for the student.

No sentence holds a hidden input or a line of the reference. Shapes, types and names of arguments are no secret.

A right answer may add its terms in any order and form (lerp, einsum, a loop), and float32 rounds each of them by at
most 6e-8 of its size. So the tolerance is relative to the size of the terms: 1e-5 leaves room for some eighty such
roundings and is still a hundred times finer than float16. An error relative to the result would refuse right answers
that are near zero.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor

from autograder.checking.misconception import LOW_PRECISION, Misconception
from autograder.checking.student import ModelState, Reply, Student
from autograder.verdict import CheckFailed, Status, contract, wrong

TOLERANCE = 1e-5
TENSORS = ("Tensor", "Parameter")
NEARLY = 1e-4  # of the size of the terms: nearer than any known mistake leads, but for rows where it changes nothing
ROUNDED = 2e-3  # float16 rounds to 5e-4 of each term, bfloat16 to 4e-3 of what is smaller than the sum of sizes

Case = TypeVar("Case")
T = TypeVar("T")
Recognise = Callable[[], Misconception | None]


@dataclass(frozen=True)
class Expected:
    """A value and, for each of its elements, the sum of the magnitudes of the terms that were added up; float64."""

    value: Tensor
    size: Tensor

    def matches(self, got: Tensor, tolerance: float = TOLERANCE) -> bool:
        """Say whether `got` is the value up to rounding. NaN never is, nor is a tensor of another shape."""
        if got.shape != self.value.shape:
            return False
        error = (got.detach().double() - self.value).abs()
        return bool((error <= tolerance * self.size + 1e-30).all())


def call(student: Student, function: str, *arguments: Any, backward: bool = False) -> Reply:
    """Call the student's function with copies of the tensors: in a kernel, an answer could write into ours."""
    copies = [argument.clone() if isinstance(argument, Tensor) else argument for argument in arguments]
    return student.call(function, *copies, backward=backward)


def tensor(reply: Reply, shape: tuple[int, ...], name: str) -> Tensor:
    """Return the answer of function `name`; raises CheckFailed unless it is a finite float32 tensor of that shape."""
    if reply.type == "NoneType":
        raise contract(f"{name} returned None, expected a tensor of shape {shape}; does every path end with a return?")
    if reply.type not in TENSORS:
        raise contract(f"{name} returned an object of type {reply.type}, expected a torch.Tensor of shape {shape}.")
    return finite(reply.value, shape, f"the result of {name}")


def finite(value: object, shape: tuple[int, ...], what: str) -> Tensor:
    """Return `value`; raises CheckFailed, calling it `what`, unless it is a finite float32 tensor of that shape."""
    if not isinstance(value, Tensor):
        raise contract(f"{_start(what)} should be an ordinary (dense) torch.Tensor of shape {shape}.")
    if tuple(value.shape) != shape:
        raise contract(f"{_start(what)} has shape {tuple(value.shape)}, expected {shape}.")
    if value.dtype != torch.float32:
        got = str(value.dtype).removeprefix("torch.")
        raise contract(
            f"{_start(what)} has dtype {got}, expected float32, that of the arguments; "
            "where does another precision come in?"
        )
    if not bool(torch.isfinite(value).all()):
        raise contract(f"{_start(what)} holds NaN or infinity, expected finite numbers; what is divided, and by what?")
    return value


def close(got: Tensor, expected: Expected, message: str, recognise: Recognise = lambda: None) -> None:
    """Raise CheckFailed unless `got` is the expected value up to rounding.

    `recognise` names the mistake, and is called only if the value is clearly another one. Without a known mistake, the
    student reads `message`.
    """
    if expected.matches(got):
        return
    # For a sum of squares the terms' size says little about how near the result is.
    near = Expected(expected.value, expected.value.abs()) if got.ndim == 0 else expected
    known = None if near.matches(got, NEARLY) else recognise()
    raise explained(known or (LOW_PRECISION if near.matches(got, ROUNDED) else None), message)


def explained(known: Misconception | None, message: str) -> CheckFailed:
    """Return the failure of a value, with the known mistake's sentences or, without one, with `message`."""
    if known is None:
        return wrong(message)
    return wrong(known.message, known.id)


def right_ones(compare: Callable[[Case], T], cases: Iterable[Case]) -> Iterator[tuple[Case, T]]:
    """Yield each case with what `compare` returns for it. Skip cases whose value is wrong, except the first.

    For a check of a call's side effects: other checks charge for the values.
    """
    for number, case in enumerate(cases):
        try:
            got = compare(case)
        except CheckFailed:
            if number == 0:
                raise
        else:
            yield case, got


@contextmanager
def only_here(plain: Callable[[], object], message: str) -> Iterator[None]:
    """Replace the failure of a value by `message` if `plain`, a check of an ordinary case, passes."""
    try:
        yield
    except CheckFailed as failure:
        if failure.status is not Status.WRONG or failure.misconception is not None:
            raise
        try:
            plain()
        except CheckFailed:
            raise failure from None
        raise wrong(message) from None


def gradients_left_on(reply: Reply) -> None:
    """Raise CheckFailed if the call has switched gradients off and left them off."""
    if reply.gradients_off:
        raise contract(
            "After the call gradients are switched off for everything that follows, the training too; "
            "what switches them off only inside the function, and back on whatever happens there?"
        )


def arguments_kept(reply: Reply, before: dict[int, tuple[str, Tensor]]) -> None:
    """Raise CheckFailed unless the tensors handed in are unchanged, and gradients are still on.

    `before` maps positions to names and tensors.
    """
    gradients_left_on(reply)
    for position, (name, tensor_before) in before.items():
        after = reply.arguments[position] if position < len(reply.arguments) else None
        if not isinstance(after, Tensor) or not same(after, tensor_before):
            raise contract(
                f"The argument {name} is not what it was before the call, expected it to stay as it is; "
                "which operation writes into it (a name that ends in _, an assignment to an index, += on a tensor)?"
            )


def model(reply: Reply, position: int, name: str) -> ModelState:
    """Return the model at that position among the arguments after the call; raises CheckFailed if there is none."""
    state = reply.arguments[position] if position < len(reply.arguments) else None
    if not isinstance(state, ModelState):
        raise contract(f"What the call left of {name} cannot be read; expected the network that was handed in.")
    return state


def weights_kept(state: ModelState, before: dict[str, Tensor], name: str) -> None:
    """Raise CheckFailed unless a model's weights are as they were before the call."""
    for key, value in before.items():
        after = state.state.get(key)
        if after is None or not same(after, value):
            raise contract(
                f"The weights of {name} changed during the call, expected them to stay as they are; "
                "which line writes into them?"
            )


def same(after: Tensor, before: Tensor) -> bool:
    """Say whether two tensors agree in dtype, shape and every bit of value."""
    return after.dtype == before.dtype and after.shape == before.shape and bool(torch.equal(after, before))


def _start(what: str) -> str:
    return what[:1].upper() + what[1:]
