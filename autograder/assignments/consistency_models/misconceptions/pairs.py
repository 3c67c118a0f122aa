"""Known mistakes in consistency_training_pair: `got` is the pair of tensors (B, D).

Inputs: x_0, epsilon (B, D), t_n1 and t_n (B,).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from autograder.assignments.consistency_models.misconceptions.known import column
from autograder.checking import Known, Misconception, alike

Pair = tuple[Tensor, Tensor]


def _mistake(id: str, says: str, asks: str, formula: Callable[[Tensor, Tensor, Tensor, Tensor], Pair]) -> Known:
    def behaves(got: Any, **inputs: Tensor) -> bool:
        pair = formula(*(inputs[name].double() for name in ("x_0", "epsilon", "t_n1", "t_n")))
        return len(got) == 2 and all(alike(one, value) for one, value in zip(got, pair, strict=True))

    return Known(Misconception(id, says, asks), behaves)


def _mix(x_0: Tensor, epsilon: Tensor, t: Tensor) -> Tensor:
    return (1 - column(t)) * x_0 + column(t) * epsilon


KNOWN = (
    _mistake(
        "missing_time_axis",
        "The times seem to run along the coordinates instead of along the rows, which shows when the batch has as many "
        "rows as there are coordinates.",
        "What shape must t have so that it meets a (B, D) tensor row by row?",
        lambda x_0, epsilon, t_n1, t_n: (
            (1 - t_n1) * x_0 + t_n1 * epsilon,
            (1 - t_n) * x_0 + t_n * epsilon,
        ),
    ),
    _mistake(
        "pair_exchanged",
        "The two points seem to come in the opposite order.",
        "Which of the two is the noisier one, and which is asked for first?",
        lambda x_0, epsilon, t_n1, t_n: (_mix(x_0, epsilon, t_n), _mix(x_0, epsilon, t_n1)),
    ),
    _mistake(
        "one_level_for_both",
        "Both points seem to lie at the upper level.",
        "What is t_n for?",
        lambda x_0, epsilon, t_n1, t_n: (_mix(x_0, epsilon, t_n1), _mix(x_0, epsilon, t_n1)),
    ),
    _mistake(
        "swapped_weights",
        "Data and noise seem to have exchanged their weights.",
        "Which of the two should be left alone at t = 0?",
        lambda x_0, epsilon, t_n1, t_n: (_mix(epsilon, x_0, t_n1), _mix(epsilon, x_0, t_n)),
    ),
    _mistake(
        "clean_second_point",
        "The second point looks like the data itself.",
        "At which noise level should it lie?",
        lambda x_0, epsilon, t_n1, t_n: (_mix(x_0, epsilon, t_n1), x_0),
    ),
    _mistake(
        "renoised_point",
        "The second point looks like the first one mixed with the noise once more.",
        "Do both points start from the data?",
        lambda x_0, epsilon, t_n1, t_n: (
            _mix(x_0, epsilon, t_n1),
            _mix(_mix(x_0, epsilon, t_n1), epsilon, t_n),
        ),
    ),
    _mistake(
        "ratio_of_levels",
        "The second point looks like the first one scaled by t_n over t_n1.",
        "What happens to the data's share when the noise level falls?",
        lambda x_0, epsilon, t_n1, t_n: (
            _mix(x_0, epsilon, t_n1),
            column(t_n / t_n1) * _mix(x_0, epsilon, t_n1),
        ),
    ),
)
