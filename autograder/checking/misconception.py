"""Known mistakes, recognised by what the code does on the judge's inputs, never by how it is written."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

# Wider than the checks' own 1e-5: the answer is wrong already, and the inputs, of the order of one, keep different
# mistakes far more than this apart.
TOLERANCE = 1e-4


@dataclass(frozen=True)
class Misconception:
    """A mistake by name, with two sentences for the student: what the code seems to do, and a question."""

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

    def explains(self, got: Any, /, **inputs: Any) -> bool:
        """Say whether the mistake gives `got` on these inputs. Anything odd about `got` is no match."""
        try:
            return self.behaves(got, **inputs)
        except (RuntimeError, LookupError, TypeError, ValueError, AttributeError, ArithmeticError):
            return False  # of a shape, a type or a size that the mistake does not have


LOW_PRECISION = Misconception(
    "low_precision",
    "The result is nearly right, as if it had been rounded on the way.",
    "Is a number type with fewer digits used somewhere, or a function that rounds or clamps?",
)


def match(known: Iterable[Known], got: Any, /, **inputs: Any) -> Misconception | None:
    """Return the first of the known mistakes that gives `got` on these inputs, or None.

    A batch of one row matches nothing: too many mistakes look alike in it.
    """
    if any(isinstance(value, Tensor) and len(value) == 1 for value in inputs.values()):
        return None
    return next((entry.misconception for entry in known if entry.explains(got, **inputs)), None)


def returns(formula: Callable[..., Tensor]) -> Callable[..., bool]:
    """Return the test for an answer that the formula gives, in double precision, on the same inputs."""

    def behaves(got: Any, /, **inputs: Any) -> bool:
        return alike(got, formula(**{name: _double(value) for name, value in inputs.items()}))

    return behaves


def alike(got: Any, value: Tensor) -> bool:
    """Say whether `got` is a tensor of the same shape and nearly the same numbers as `value`, a float64 tensor."""
    if not isinstance(got, Tensor) or got.shape != value.shape:
        return False
    error = (got.detach().double() - value).abs()
    return bool((error <= TOLERANCE * (1 + value.abs())).all())


def _double(value: Any) -> Any:
    return value.double() if isinstance(value, Tensor) else value
