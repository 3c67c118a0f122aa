"""Known mistakes in the noise of sample_consistency_multistep: at the start, and between two jumps."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from autograder.assignments.consistency_models.misconceptions.runs import mistake, pairs
from autograder.assignments.consistency_models.noise import (
    coordinates_differ,
    has_twins,
    is_gaussian,
    is_reused,
    is_unrelated,
    neighbours_differ,
)
from autograder.assignments.consistency_models.sampling import Jump, Sampled

EXACT = 1e-4


def _renoised_by(weights: Callable[[Sampled, float, float], tuple[float, float]]) -> Callable[[Sampled], bool]:
    """Return the test for x = a h + b z with fresh noise z; weights(run, s, s_before) gives (a, b)."""

    def seen(run: Sampled) -> bool:
        noises = []
        for before, after in pairs(run):
            a, b = weights(run, after.level, before.level)
            noises.append((after.x - a * before.answer) / b)
        return (
            bool(noises)
            and all(is_gaussian(z) for z in noises)
            and all(is_unrelated(z, before.answer) for z, (before, _) in zip(noises, pairs(run), strict=True))
        )

    return seen


def _point_is(formula: Callable[[Sampled, Jump, Jump], Tensor]) -> Callable[[Sampled], bool]:
    """Return the test for re-noised points that a formula of (run, jump before, jump) gives without a fresh draw."""

    def seen(run: Sampled) -> bool:
        return len(run.jumps) > 1 and all(
            bool(((after.x - formula(run, before, after)).abs() <= EXACT * (1 + after.x.abs())).all())
            for before, after in pairs(run)
        )

    return seen


def _noises(run: Sampled) -> list[Tensor]:
    """What must have been the noise of each later point, if it was mixed rightly."""
    return [(after.x - (1 - after.level) * before.answer) / after.level for before, after in pairs(run)]


def _noise_is(form: Callable[[Tensor], bool]) -> Callable[[Sampled], bool]:
    def seen(run: Sampled) -> bool:
        noises = _noises(run)
        return bool(noises) and all(form(noise) for noise in noises)

    return seen


def _one_noise(run: Sampled) -> bool:
    noises = _noises(run)
    return len(noises) > 1 and all(_near(noise, noises[0]) for noise in noises)


def _drawn_before(run: Sampled) -> bool:
    """Some noise is made of the numbers of the start or of an earlier noise, in another order or with other signs."""
    seen = [run.jumps[0].x]
    for noise in _noises(run):
        if any(is_reused(noise, other) for other in seen):
            return True
        seen.append(noise)
    return False


def _is_uniform(noise: Tensor) -> bool:
    """Uniform numbers of any mean have a kurtosis of 1.8; it is spread by 0.02 for ten thousand of them."""
    centred = noise - noise.mean()
    return abs(float(centred.pow(4).mean() / centred.square().mean().square()) - 1.8) < 0.1


def _near(one: Tensor, other: Tensor) -> bool:
    return bool(((one - other).abs() < 1e-3).all())


def _point_renoised(run: Sampled) -> bool:
    """The old point in the place of the estimate."""
    noises = [(after.x - (1 - after.level) * before.x) / after.level for before, after in pairs(run)]
    return bool(noises) and all(is_gaussian(noise) for noise in noises)


def _same_start(run: Sampled) -> bool:
    return bool((run.jumps[0].x == run.jumps[0].x[:1]).all())


def _coordinates_related(run: Sampled) -> bool:
    """Without its mean: a mean of each coordinate's own is no relation, but turned by 45 degrees it looks like one."""
    start = run.jumps[0].x
    return is_gaussian(start) and not coordinates_differ(start - start.mean(0))


def _rows_related(run: Sampled) -> bool:
    start = run.jumps[0].x
    return is_gaussian(start) and (has_twins(start) or not neighbours_differ(start))


START = (
    mistake(
        "start_scaled_by_sigma_max",
        "start",
        "The first noise seems to be scaled by sigma_max.",
        "Which distribution does the docstring give the start, whatever sigma_max is?",
        lambda run: run.sigma_max < 1 and is_gaussian(run.jumps[0].x / run.sigma_max),
    ),
    mistake(
        "noise_shared_by_rows",
        "start",
        "All samples seem to start from the same point.",
        "How many different samples can that give?",
        _same_start,
    ),
    mistake(
        "noise_shared_by_coordinates",
        "start",
        "Both coordinates of a start seem to be the same number.",
        "How many numbers are there to draw for each sample?",
        lambda run: bool((run.jumps[0].x[:, 0] == run.jumps[0].x[:, 1]).all()),
    ),
    mistake(
        "coordinates_related",
        "start",
        "The two coordinates of a start seem to depend on each other.",
        "How many numbers are there to draw for each sample, and what does one of them tell about the other?",
        _coordinates_related,
    ),
    mistake(
        "noise_used_twice",
        "start",
        "Different samples seem to share their noise.",
        "How many numbers are there to draw for all samples together?",
        _rows_related,
    ),
    mistake(
        "uniform_start",
        "start",
        "The first noise seems to be uniform, not Gaussian.",
        "What is the difference between rand and randn?",
        lambda run: _is_uniform(run.jumps[0].x),
    ),
)

NOISE = (
    mistake(
        "no_renoising",
        "noise",
        "The model's estimate seems to be handed back to it without new noise.",
        "How noisy should a point be that is said to lie at that level?",
        _point_is(lambda run, before, after: before.answer),
    ),
    mistake(
        "renoising_without_noise",
        "noise",
        "The estimate seems to be scaled down without noise being added.",
        "What is the other part of a point at that level?",
        _point_is(lambda run, before, after: (1 - after.level) * before.answer),
    ),
    mistake(
        "first_noise_again",
        "noise",
        "The noise of the start seems to be used again.",
        "What makes the second jump independent of the first?",
        _point_is(lambda run, before, after: (1 - after.level) * before.answer + after.level * run.jumps[0].x),
    ),
    mistake(
        "one_noise_for_all_levels",
        "noise",
        "The same noise seems to be used between all jumps.",
        "What makes each jump independent of the one before it?",
        _one_noise,
    ),
    mistake(
        "renoising_shared_by_rows",
        "noise",
        "All samples seem to get the same noise between two jumps.",
        "How many numbers are there to draw?",
        _noise_is(lambda noise: _near(noise, noise[:1])),
    ),
    mistake(
        "renoising_shared_by_coordinates",
        "noise",
        "Both coordinates of a sample seem to get the same noise between two jumps.",
        "How many numbers are there to draw?",
        _noise_is(lambda noise: _near(noise[:, 0], noise[:, 1])),
    ),
    mistake(
        "uniform_renoising",
        "noise",
        "The noise between two jumps seems to be uniform, not Gaussian.",
        "What is the difference between rand and randn?",
        _noise_is(_is_uniform),
    ),
    mistake(
        "point_renoised",
        "noise",
        "The old noisy point seems to be mixed with noise, not the model's estimate.",
        "What was the jump for?",
        _point_renoised,
    ),
    mistake(
        "walks_the_ode",
        "noise",
        "The points seem to follow the straight line from the old point to the estimate, as a solver's steps do.",
        "Does a consistency model walk along the trajectory or jump, and what comes between two jumps?",
        _point_is(lambda run, before, after: before.answer + after.level / before.level * (before.x - before.answer)),
    ),
    mistake(
        "ddpm_renoising",
        "noise",
        "The estimate seems to be re-noised with DDPM's weights, whose squares add up to one.",
        "Is the teacher a DDPM or a flow-matching model?",
        _renoised_by(lambda run, s, before: (max(1 - s * s, 0.0) ** 0.5, s)),
    ),
    mistake(
        "ddpm_variances",
        "noise",
        "The estimate seems to be re-noised with square roots of 1 - s and s.",
        "Is a point on a straight line between data and noise a matter of variances?",
        _renoised_by(lambda run, s, before: ((1 - s) ** 0.5, s**0.5)),
    ),
    mistake(
        "noise_added_on_top",
        "noise",
        "The noise seems to be added to the estimate at full weight.",
        "Which mixture of data and noise was the teacher trained on?",
        _renoised_by(lambda run, s, before: (1.0, s)),
    ),
    mistake(
        "paper_renoising",
        "noise",
        "The estimate seems to be re-noised as in the paper's algorithm, whose noise is added to data at full weight.",
        "Which mixture of data and noise was this notebook's teacher trained on?",
        _renoised_by(lambda run, s, before: (1.0, max(s * s - run.sigma_min**2, 1e-12) ** 0.5)),
    ),
    mistake(
        "weights_exchanged",
        "noise",
        "Estimate and noise seem to have exchanged their weights.",
        "How much of the noise should there be at a small level?",
        _renoised_by(lambda run, s, before: (s, 1 - s)),
    ),
    mistake(
        "renoised_to_the_old_level",
        "noise",
        "The estimate seems to be re-noised to the level it came from.",
        "At which level is the model asked next?",
        _renoised_by(lambda run, s, before: (1 - before, before)),
    ),
    mistake(
        "renoised_to_the_next_level",
        "noise",
        "The estimate seems to be re-noised to the level after the one that the model is told.",
        "Which level belongs to the point, and which is the model asked at?",
        _renoised_by(lambda run, s, before: (1 - (2 * s - before), 2 * s - before)),
    ),
    mistake(
        "only_noise",
        "noise",
        "Every jump seems to start from new noise alone.",
        "What was the last estimate for?",
        _renoised_by(lambda run, s, before: (0.0, 1.0)),
    ),
    mistake(
        "noise_drawn_before",
        "noise",
        "The noise between two jumps seems to be made of numbers that an earlier jump has used.",
        "What makes each jump independent of the ones before it?",
        _drawn_before,
    ),
)

KNOWN = (*START, *NOISE)
