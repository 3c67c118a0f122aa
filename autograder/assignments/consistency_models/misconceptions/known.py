"""What a known mistake is, and how an answer is compared with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

# Wider than the checks' own 1e-5: the answer is wrong already, and the inputs, of the order of one, keep different
# mistakes far more than this apart.
TOLERANCE = 1e-4


@dataclass(frozen=True)
class Misconception:
    """A mistake by name; both sentences are read by the student."""

    id: str
    says: str
    asks: str

    @property
    def message(self) -> str:
        """The two sentences together."""
        return f"{self.says} {self.asks}"


@dataclass(frozen=True)
class Known:
    """A misconception and the test that recognises it: (got, **inputs) -> bool."""

    misconception: Misconception
    behaves: Callable[..., bool]

    def explains(self, got: Any, **inputs: Any) -> bool:
        """Say whether the mistake gives what was got; whatever is odd about `got` is no match."""
        try:
            return self.behaves(got, **inputs)
        except (RuntimeError, LookupError, TypeError, ValueError, AttributeError, ArithmeticError):
            return False  # of a shape, a type or a size that the mistake does not have


LOW_PRECISION = Misconception(
    "low_precision",
    "The result is nearly right, as if it had been rounded on the way.",
    "Is a number type with fewer digits used somewhere, or a function that rounds or clamps?",
)
OWN_RANDOMNESS = Misconception(
    "own_randomness",
    "Two calls with the same arguments give different results, so the code seems to draw random numbers of its own.",
    "Which noise is this function given?",
)


def returns(formula: Callable[..., Tensor]) -> Callable[..., bool]:
    """Return the test for an answer that is what the formula gives in double precision."""

    def behaves(got: Any, **inputs: Any) -> bool:
        return alike(got, formula(**{name: double(value) for name, value in inputs.items()}))

    return behaves


def double(value: Any) -> Any:
    """Return tensors in double precision, anything else as it is."""
    return value.double() if isinstance(value, Tensor) else value


def alike(got: Any, value: Tensor) -> bool:
    """Say whether `got` is a tensor of the same shape and nearly the same numbers."""
    if not isinstance(got, Tensor) or got.shape != value.shape:
        return False
    error = (got.detach().double() - value).abs()
    return bool((error <= TOLERANCE * (1 + value.abs())).all())


def column(t: Tensor) -> Tensor:
    """Return times (B,) as (B, 1)."""
    return t.reshape(-1, 1)
