"""Known mistakes in the jumps of sample_consistency_multistep: the levels, the result, and two calls."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from autograder.assignments.consistency_models.misconceptions.runs import mistake
from autograder.assignments.consistency_models.noise import is_gaussian
from autograder.assignments.consistency_models.sampling import Sampled
from autograder.checking import alike


def _asked_at(levels: Callable[[Sampled], Tensor]) -> Callable[[Sampled], bool]:
    def seen(run: Sampled) -> bool:
        return alike(torch.tensor([jump.level for jump in run.jumps]), levels(run).double())

    return seen


def _linear(run: Sampled, end: float, points: int) -> Tensor:
    return torch.linspace(run.sigma_max, end, points, dtype=torch.float64)


def _geometric(run: Sampled) -> Tensor:
    return run.sigma_max * (run.sigma_min / run.sigma_max) ** (torch.arange(run.n_steps) / run.n_steps)


def _result_mixed(run: Sampled) -> bool:
    """The last estimate mixed with noise once more, at the last level or at sigma_min."""
    last, returned = run.jumps[-1], run.returned
    if returned is None:
        return False
    return any(is_gaussian((returned - (1 - s) * last.answer) / s) for s in (last.level, run.sigma_min) if s > 0)


LEVELS = (
    mistake(
        "asked_twice_at_each_level",
        "levels",
        "The model seems to be asked twice at each level.",
        "How many jumps does a level need?",
        _asked_at(lambda run: run.levels.repeat_interleave(2)),
    ),
    mistake(
        "one_jump_only",
        "levels",
        "The model seems to be asked once, whatever n_steps is.",
        "What follows the first jump when there are more steps to make?",
        lambda run: len(run.questions) == 1 and run.n_steps > 1,
    ),
    mistake(
        "last_level_kept",
        "levels",
        "There seems to be one jump too many, from sigma_min itself.",
        "What does the model return at sigma_min, and which of the levels is left out?",
        _asked_at(lambda run: _linear(run, run.sigma_min, run.n_steps + 1)),
    ),
    mistake(
        "levels_end_at_sigma_min",
        "levels",
        "The levels seem to be spread so that the last jump starts at sigma_min.",
        "How many points does the linspace of the docstring have before one is left out?",
        _asked_at(lambda run: _linear(run, run.sigma_min, run.n_steps)),
    ),
    mistake(
        "levels_end_at_zero",
        "levels",
        "The levels seem to be spaced down to 0 instead of down to sigma_min.",
        "Where does the linspace of the docstring end?",
        _asked_at(lambda run: _linear(run, 0.0, run.n_steps + 1)[:-1]),
    ),
    mistake(
        "levels_rising",
        "levels",
        "The noise levels seem to rise from jump to jump.",
        "Where does sampling start: at noise or at data?",
        _asked_at(lambda run: _linear(run, run.sigma_min, run.n_steps + 1).flip(0)[:-1]),
    ),
    mistake(
        "first_level_dropped",
        "levels",
        "The first noise level seems to be left out instead of the last one.",
        "At which level is pure noise?",
        _asked_at(lambda run: _linear(run, run.sigma_min, run.n_steps + 1)[1:]),
    ),
    mistake(
        "levels_geometric",
        "levels",
        "The levels seem to have a constant ratio instead of a constant distance.",
        "Which spacing does the docstring name?",
        _asked_at(_geometric),
    ),
    mistake(
        "level_stays_at_the_top",
        "levels",
        "Every jump seems to start from sigma_max.",
        "Which level belongs to the second jump?",
        _asked_at(lambda run: torch.full((run.n_steps,), run.sigma_max)),
    ),
    mistake(
        "sigmas_ignored",
        "levels",
        "The levels seem to be the default ones whatever sigma_min and sigma_max are.",
        "Are the arguments used, or numbers that equal their defaults?",
        _asked_at(lambda run: torch.linspace(1.0, 0.002, run.n_steps + 1)[:-1]),
    ),
    mistake(
        "sigma_max_ignored",
        "levels",
        "The levels seem to start at 1 whatever sigma_max is.",
        "Where does the linspace of the docstring start?",
        _asked_at(lambda run: torch.linspace(1.0, run.sigma_min, run.n_steps + 1)[:-1]),
    ),
    mistake(
        "sigma_min_ignored",
        "levels",
        "The levels seem to end at 0.002 whatever sigma_min is.",
        "Where does the linspace of the docstring end?",
        _asked_at(lambda run: torch.linspace(run.sigma_max, 0.002, run.n_steps + 1)[:-1]),
    ),
)

RESULT = (
    mistake(
        "noise_after_the_last_jump",
        "result",
        "The result looks like the last estimate with noise in it.",
        "Is there another jump that would take the noise away again?",
        _result_mixed,
    ),
    mistake(
        "last_point_returned",
        "result",
        "The result looks like the noisy point of the last jump, not like the model's estimate.",
        "Which of the two is the sample?",
        lambda run: run.returned is not None and alike(run.returned, run.jumps[-1].x),
    ),
    mistake(
        "first_estimate_returned",
        "result",
        "The result looks like the estimate of the first jump.",
        "What were the others for?",
        lambda run: run.returned is not None and alike(run.returned, run.jumps[0].answer),
    ),
    mistake(
        "estimates_averaged",
        "result",
        "The result looks like the mean of all estimates.",
        "Which estimate came from the least noise?",
        lambda run: (
            run.returned is not None and alike(run.returned, torch.stack([jump.answer for jump in run.jumps]).mean(0))
        ),
    ),
)

AGAIN = (
    mistake(
        "same_noise_every_call",
        "again",
        "Two calls seem to draw the same noise.",
        "Who sets the seed of the random numbers, and how often?",
        lambda run: True,
    ),
)

KNOWN = (*LEVELS, *RESULT, *AGAIN)
