"""Known mistakes in noisy_sample: `got` is the result (B, D), inputs are x_0, epsilon (B, D) and t (B,)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from autograder.assignments.consistency_models.misconceptions.known import column
from autograder.checking import Known, Misconception, returns

Formula = Callable[[Tensor, Tensor, Tensor], Tensor]


def _mistake(id: str, says: str, asks: str, formula: Formula) -> Known:
    return Known(
        Misconception(id, says, asks),
        returns(lambda x_0, epsilon, t: formula(x_0, epsilon, t)),
    )


KNOWN = (
    _mistake(
        "missing_time_axis",
        "The times seem to run along the coordinates instead of along the rows, which shows when the batch has as many "
        "rows as there are coordinates.",
        "What shape must t have so that it meets a (B, D) tensor row by row?",
        lambda x_0, epsilon, t: (1 - t) * x_0 + t * epsilon,
    ),
    _mistake(
        "swapped_weights",
        "Data and noise seem to have exchanged their weights.",
        "Which of the two should be left alone at t = 0?",
        lambda x_0, epsilon, t: column(t) * x_0 + (1 - column(t)) * epsilon,
    ),
    _mistake(
        "first_time_for_all",
        "Every row seems to get the noise level of the first row.",
        "What happens in a batch whose rows have different times?",
        lambda x_0, epsilon, t: (1 - t[0]) * x_0 + t[0] * epsilon,
    ),
    _mistake(
        "last_time_for_all",
        "Every row seems to get the noise level of the last row.",
        "What is left over from the earlier turns of a loop?",
        lambda x_0, epsilon, t: (1 - t[-1]) * x_0 + t[-1] * epsilon,
    ),
    _mistake(
        "mean_time_for_all",
        "Every row seems to get the mean of all noise levels.",
        "Why should one row's noise level depend on its neighbours?",
        lambda x_0, epsilon, t: (1 - t.mean()) * x_0 + t.mean() * epsilon,
    ),
    _mistake(
        "ddpm_weights",
        "The weights look like those of DDPM, whose squares add up to one.",
        "Is the teacher a DDPM or a flow-matching model, and what do the weights of flow matching add up to?",
        lambda x_0, epsilon, t: (1 - column(t) ** 2).clamp(min=0).sqrt() * x_0 + column(t) * epsilon,
    ),
    _mistake(
        "ddpm_variances",
        "The weights look like square roots of 1 - t and t, as DDPM mixes with t as a variance.",
        "Is a point on a straight line between data and noise a matter of variances?",
        lambda x_0, epsilon, t: (1 - column(t)).sqrt() * x_0 + column(t).sqrt() * epsilon,
    ),
    _mistake(
        "cosine_weights",
        "The weights look like cosine and sine of t, as in schedules that walk along a circle.",
        "Is the path from data to noise a straight line here, or an arc?",
        lambda x_0, epsilon, t: (column(t) * torch.pi / 2).cos() * x_0 + (column(t) * torch.pi / 2).sin() * epsilon,
    ),
    _mistake(
        "noise_added_on_top",
        "The noise seems to be added to data at full weight.",
        "How much of the data should be left at t = 1?",
        lambda x_0, epsilon, t: x_0 + column(t) * epsilon,
    ),
    _mistake(
        "noise_at_full_weight",
        "The noise seems to have full weight at every time.",
        "How much noise should there be at t = 0?",
        lambda x_0, epsilon, t: (1 - column(t)) * x_0 + epsilon,
    ),
    _mistake(
        "noise_subtracted",
        "The noise seems to enter with the opposite sign.",
        "Where should the point be at t = 1: at the noise, or at its mirror image?",
        lambda x_0, epsilon, t: (1 - column(t)) * x_0 - column(t) * epsilon,
    ),
    _mistake(
        "walks_away_from_noise",
        "The point seems to leave the data in the direction away from the noise.",
        "Which difference points from the data to the noise?",
        lambda x_0, epsilon, t: x_0 + column(t) * (x_0 - epsilon),
    ),
    _mistake(
        "velocity_returned",
        "The result looks like the velocity of the straight path, not like a point on it.",
        "Where does t come in?",
        lambda x_0, epsilon, t: epsilon - x_0,
    ),
    _mistake(
        "time_squared",
        "The noise level seems to be squared before it is used.",
        "Half-way, at t = 0.5, how much of the noise should be in the point?",
        lambda x_0, epsilon, t: (1 - column(t) ** 2) * x_0 + column(t) ** 2 * epsilon,
    ),
    _mistake(
        "noise_missing",
        "The data are scaled, but the noise seems to be missing.",
        "What should be left of the point at t = 1?",
        lambda x_0, epsilon, t: (1 - column(t)) * x_0,
    ),
    _mistake(
        "data_returned",
        "The result looks like x_0 itself, at every time.",
        "What do epsilon and t change?",
        lambda x_0, epsilon, t: x_0,
    ),
    _mistake(
        "noise_returned",
        "The result looks like epsilon itself, at every time.",
        "What should be left of the noise at t = 0?",
        lambda x_0, epsilon, t: epsilon,
    ),
)
