"""Where the inputs of the checks come from: one place for Hypothesis, one for tensors.

Hypothesis draws integers, floats and text from a pool of constants that it finds in imported modules, so what it
draws depends on what is imported. Booleans are exempt (its providers.py says so), hence seeds made of them.
"""

from __future__ import annotations

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
SIGMA_MIN = 0.002  # the notebook's smallest noise level

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

seeds: st.SearchStrategy[int] = st.tuples(*[st.booleans()] * SEED_BITS).map(
    lambda bits: sum(bit << place for place, bit in enumerate(bits))
)

Check = Callable[[Student, int], None]


def each_seed(examples: int) -> Callable[[Check], Check]:
    """Turn a check of (student, seed) into a property that holds for `examples` drawn seeds."""

    def decorate(check: Check) -> Check:
        # One more than asked for: the first example is always the simplest one, seed 0, which is passed over.
        limit = settings(SETTINGS, max_examples=examples + 1)
        drawn: Check = limit(given(seed=seeds)(_replayable(check)))
        return drawn

    return decorate


def _replayable(check: Check) -> Check:
    """Return the check with its first failure repeated in Hypothesis's final replay.

    Answers that draw noise or count their calls need not fail twice, and Hypothesis would take that for a fault of
    the check.
    """
    failures: list[CheckFailed] = []

    @functools.wraps(check)
    def replayed(student: Student, seed: int) -> None:
        if seed == 0:
            return
        if not current_build_context().is_final:
            failures.clear()
            # Hypothesis sets these to one state for each example. In a kernel they are the student's own, and noise of
            # one check would come again in the next.
            own = seed ^ zlib.crc32(check.__name__.encode())
            random.seed(own)
            np.random.seed(own)
            try:
                check(student, seed)
            except CheckFailed as failure:
                failures.append(failure)
        if failures:
            # From this one line, so that both failures look alike.
            raise failures[0].with_traceback(None) from None

    return replayed


class Draw:
    """Tensors from one seed, the same on every machine."""

    def __init__(self, seed: int) -> None:
        self.generator = torch.Generator().manual_seed(seed)

    def normal(self, *shape: int) -> Tensor:
        """Return standard normal numbers."""
        return torch.randn(*shape, generator=self.generator)

    def whole(self, low: int, high: int) -> int:
        """Return a whole number from `low` to `high`, both included."""
        return int(torch.randint(low, high + 1, (), generator=self.generator))

    def times(self, rows: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        """Return (rows,) times, uniform in [low, high]."""
        return low + (high - low) * torch.rand(rows, generator=self.generator)

    def neighbours(self, rows: int) -> tuple[Tensor, Tensor]:
        """Return times t_n1 > t_n, (rows,) each, with a step of its own in each row."""
        t_n1 = self.times(rows, 0.3, 1.0)
        return t_n1, t_n1 * self.times(rows, 0.1, 0.8)


def adjacent_levels(intervals: int) -> tuple[Tensor, Tensor]:
    """Return times t_n1 > t_n, (10,) each: neighbours among equal levels from 1 down to sigma_min, for 10, 20 or 40."""
    levels = torch.linspace(SIGMA_MIN, 1.0, intervals + 1)
    return levels[1 :: intervals // 10], levels[: -1 : intervals // 10]


def repeated(times: Tensor) -> Tensor:
    """Return the times with every second one equal to the one before it."""
    return times[torch.arange(len(times)) // 2 * 2]


def consistency_state(draw: Draw, hidden_dim: int) -> dict[str, Tensor]:
    """Return random weights by name for a ConsistencyModel of that width.

    The names and shapes are those of the notebook's class; a test compares them with it.
    """
    wide = (hidden_dim, hidden_dim)
    layers = {
        "time_mlp.0": (hidden_dim, 1),
        "time_mlp.2": wide,
        "net.0": (hidden_dim, 2 + hidden_dim),
        "net.2": wide,
        "net.4": wide,
        "net.6": (2, hidden_dim),
    }
    state = {}
    for name, shape in layers.items():
        state[f"backbone.{name}.weight"] = draw.normal(*shape)
        state[f"backbone.{name}.bias"] = draw.normal(shape[0])
    return state
