"""Draws the inputs of checks: seeds through Hypothesis, tensors from a seed."""

import functools
import random
import zlib
from collections.abc import Callable

import numpy as np
import torch
from hypothesis import Phase, Verbosity, given, settings
from hypothesis import strategies as st
from hypothesis.control import current_build_context
from torch import Tensor

from autograder.checking.student import Student
from autograder.verdict import CheckFailed

SEED_BITS = 31

# Explicit and generated examples only: shrinking would call the student's code hundreds of times for a shorter
# example that nobody is shown. No database and no deadline, so that a report depends on the submission alone.
SETTINGS = settings(
    deadline=None,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    report_multiple_bugs=False,
    print_blob=False,
    verbosity=Verbosity.quiet,
    suppress_health_check=(),
)

# Hypothesis draws integers, floats and text from a pool of constants that it finds in imported modules, so what it
# draws depends on what is imported. Booleans are exempt (its providers.py says so), hence seeds made of them.
seeds: st.SearchStrategy[int] = st.tuples(*[st.booleans()] * SEED_BITS).map(
    lambda bits: sum(bit << place for place, bit in enumerate(bits))
)

Check = Callable[[Student, int], None]


def each_seed(examples: int) -> Callable[[Check], Check]:
    """Turn a check of (student, seed) into one that runs for `examples` seeds, drawn from the submission's hash."""

    def decorate(check: Check) -> Check:
        # One more than asked for: Hypothesis always begins with the simplest example, seed 0, which is skipped.
        limit = settings(SETTINGS, max_examples=examples + 1)
        drawn: Check = limit(given(seed=seeds)(_same_when_replayed(check)))
        return drawn

    return decorate


def _same_when_replayed(check: Check) -> Check:
    """Return the check for Hypothesis, which runs a failing seed a second time and insists on the same failure.

    An answer that draws noise or counts its calls may not fail twice. So the second run raises the first one's failure.
    """
    failure: CheckFailed | None = None

    @functools.wraps(check)
    def example(student: Student, seed: int) -> None:
        nonlocal failure
        if seed == 0:
            return
        if not current_build_context().is_final:
            failure = None
        failure = failure or _failure(check, student, seed)
        if failure is not None:
            raise failure.with_traceback(None) from None  # on one line for both runs: Hypothesis compares the place too

    return example


def _failure(check: Check, student: Student, seed: int) -> CheckFailed | None:
    """Return the failure of a check for one seed, or None if it passes."""
    # Hypothesis gives these generators the same state for each example. In a kernel they are the student's own, and
    # the noise of one check would return in the next.
    own = seed ^ zlib.crc32(check.__name__.encode())
    random.seed(own)
    np.random.seed(own)
    try:
        check(student, seed)
    except CheckFailed as failure:
        return failure
    return None


class Draw:
    """Draws tensors from one seed, the same on every machine."""

    def __init__(self, seed: int) -> None:
        self.generator = torch.Generator().manual_seed(seed)

    def normal(self, *shape: int) -> Tensor:
        """Return standard normal numbers."""
        return torch.randn(*shape, generator=self.generator)

    def uniform(self, *shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        """Return numbers that are uniform in [low, high)."""
        return low + (high - low) * torch.rand(*shape, generator=self.generator)

    def whole(self, low: int, high: int) -> int:
        """Return an integer from `low` to `high`, both included."""
        return int(torch.randint(low, high + 1, (), generator=self.generator))
