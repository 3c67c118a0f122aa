"""What can be said about the noise in a sampler's run.

Every test of noise below wrongly rejects a right sampler with a small probability, by an exact tail or a proven bound,
whatever the generator. For one submission these add up, over all checks, to:

- has_shape, for the eleven noises of large runs, twice each, and two pools, 24 times FALSE_ALARM: 2.4e-8;
- has_size, for those, for twenty runs and the pools, 260 times FALSE_ALARM: 2.6e-7;
- is_unrelated and have_a_part_in_common, for those noises and what they may hang on, 120 times 2e-9: 2.4e-7;
- is_reused, forty times 3e-9: 1.2e-7;
- is_centred, for two coordinates of two pools, 2e-9 each: 8e-9;
- is_scattered and varies, once each: 5e-10.

Together 6.6e-7, so at most one in a million.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

FALSE_ALARM = 1e-9
SMALLEST_TAIL, LARGEST_TAIL = 3.01, 8.0  # of the largest of 2 MANY numbers
FEW_DIGITS = 0.9  # the share of numbers that float16 holds exactly; of float32's own draws it is one in thousands
LARGEST, ALIKE, FAR_OUT = 10, 2e-4, 2.5  # of is_reused
MANY = 5000  # rows, two numbers each: enough to tell uniform noise of the same variance from Gaussian noise


def is_gaussian(noise: Tensor) -> bool:
    """Say whether the numbers, some ten thousand, may be independent standard normal ones.

    Distribution: has_shape. Variance, of each coordinate too: has_size. Tails: the largest of 10,000 sizes is below
    3.01 with a probability of 5e-12, above 8 with one of 1e-11.
    """
    return (
        SMALLEST_TAIL <= float(noise.abs().max()) <= LARGEST_TAIL
        and has_shape(noise)
        and all(has_size(numbers) for numbers in (noise, *noise.unbind(-1)))
    )


def has_shape(noise: Tensor) -> bool:
    """Say whether the distribution may be standard normal: Dvoretzky-Kiefer-Wolfowitz with Massart's constant."""
    z = torch.from_numpy(np.sort(noise.reshape(-1).numpy()))  # torch's own sort takes ten times as long
    n = len(z)
    upper = torch.arange(1, n + 1, dtype=z.dtype) / n
    cdf = torch.special.ndtr(z)
    gap = torch.maximum(upper - cdf, cdf - upper + 1 / n).max()
    return bool(gap <= math.sqrt(math.log(2 / FALSE_ALARM) / (2 * n)))


def has_size(numbers: Tensor, lost: int = 0) -> bool:
    """Say whether the sum of squares may be that of independent standard normal numbers, however few there are.

    The sum is chi-squared with one degree of freedom for each number, less those `lost` with means that were
    subtracted. Both tails are exact.
    """
    half = torch.tensor((numbers.numel() - lost) / 2, dtype=torch.float64)
    squares = numbers.square().sum() / 2
    tails = torch.special.gammainc(half, squares), torch.special.gammaincc(half, squares)
    return all(bool(tail >= FALSE_ALARM / 2) for tail in tails)


def are_fresh(noises: list[Tensor]) -> bool:
    """Say whether the noises of one run, each (n, 2), may be independent, for any n.

    That is a question of sizes: of the numbers, of what is left without the mean of all rows or of all jumps, and of
    the sum and the difference of the coordinates. It finds what is zero, scaled or shared.
    """
    z = torch.stack(noises)
    jumps, rows, _ = z.shape
    return (
        has_size(z)
        and has_size((z[:, :, 0] + z[:, :, 1]) / math.sqrt(2))
        and has_size((z[:, :, 0] - z[:, :, 1]) / math.sqrt(2))
        and (rows == 1 or has_size(z - z.mean(1, keepdim=True), lost=2 * jumps))
        and (jumps == 1 or has_size(z - z.mean(0), lost=2 * rows))
    )


def is_standard(pool: Tensor) -> bool:
    """Say whether noises of many runs together, (n, 2), are standard normal, more finely than in each alone."""
    return (
        is_centred(pool)
        and has_size(pool[:, 0])
        and has_size(pool[:, 1])
        and is_unrelated(pool[:, 0], pool[:, 1])
        and has_shape(pool)
    )


def is_centred(noise: Tensor) -> bool:
    """Say whether each coordinate may have the mean 0: a sum of n is normal, and beyond 6 deviations in 2e-9."""
    return bool((noise.sum(0).abs() <= 6 * math.sqrt(len(noise))).all())


def is_scattered(noises: list[Tensor]) -> bool:
    """Say whether the sums of at least three fresh noises scatter around zero; those of centred noise all are zero.

    A sum in units of its deviation is standard normal, and below 1e-3 with a probability of 8e-4: three in 5e-10.
    """
    return any(float(noise.sum().abs()) > 1e-3 * math.sqrt(noise.numel()) for noise in noises)


def varies(noises: list[Tensor]) -> bool:
    """Say whether the spreads of at least six fresh noises, (n, 2) with n in the thousands, scatter around 1.

    Noise that was divided by its own spread, however that is computed, has the spread 1 each time. A variance of m
    numbers in units of its deviation, (2 / m)^(1/2), is nearly standard normal, with a density below 0.41: it lies
    within 2e-2 of 0 with a probability below 0.017. Six of one kind do in 3e-11.
    """
    spreads = [[noise.var(), *noise.var(0)] for noise in noises]
    sizes = (noises[0].numel(), len(noises[0]), len(noises[0]))
    off = (torch.tensor(spreads, dtype=torch.float64) - 1).abs() * (torch.tensor(sizes) / 2).sqrt()
    return not bool((off <= 2e-2).all(dim=0).any())


def is_unrelated(noise: Tensor, other: Tensor) -> bool:
    """Say whether fresh standard normal noise may be independent of `other`, of the same shape.

    Given `other`, the sum of products is normal with the variance |other|^2, exactly; 6 deviations happen in 2e-9.
    Without its mean, so that a mean of the noise, which others look for, is no relation.
    """
    other = other - other.mean(0)
    product = float((noise * other).sum())
    return abs(product) <= 6 * float(other.square().sum().sqrt())


def have_a_part_in_common(noise: Tensor, other: Tensor) -> bool:
    """Say whether two noises of one shape are related, whatever their scale, and whatever is mixed into them.

    Without its mean, fresh Gaussian noise points in a random direction: 6 deviations of its cosine happen in 2e-9.
    """
    noise, other = noise - noise.mean(0), other - other.mean(0)
    cosine = (noise * other).sum() / (noise.square().sum() * other.square().sum()).sqrt()
    return bool(cosine.abs() * math.sqrt(noise.numel() - 2) > 6)


def distinct(noises: list[Tensor]) -> list[Tensor]:
    """Return the noises without those that begin with the numbers of a longer one; fresh ones never do."""
    return list({tuple(noise[0].tolist()): noise for noise in sorted(noises, key=len)}.values())


def is_reused(noise: Tensor, other: Tensor) -> bool:
    """Say whether a noise is made of the numbers of another one, of the same shape, in any order and with any signs.

    Then their largest sizes are alike, up to the error of recovering them. Given `other`, a size of n = 10,000 numbers
    lies within 2e-4 of one above 2.5 with an expected number of at most 2 n 2e-4 0.8 exp(-2.5^2 / 2) = 0.14, so ten
    places are matched in order with a probability below 0.14^10 = 3e-9.
    """
    one, two = (z.abs().reshape(-1).topk(LARGEST).values for z in (noise, other))  # largest first
    return bool(two[-1] > FAR_OUT) and bool(((one - two).abs() <= ALIKE).all())


def has_few_digits(points: Tensor) -> bool:
    """Say whether nearly all numbers are ones that float16 holds exactly, so that they were rounded on the way.

    Of float32's 24 digits 13 would have to be zero by chance: for each number one in 8,000.
    """
    return bool((points.half() == points).double().mean() > FEW_DIGITS)


def rows_differ(noise: Tensor) -> bool:
    """Say whether rows and coordinates have noise of their own; noise is (n, 2), n in the thousands."""
    return coordinates_differ(noise) and neighbours_differ(noise) and not has_twins(noise)


def neighbours_differ(noise: Tensor) -> bool:
    """Say whether each row may be independent of the next one, and the first half of the rows of the second half."""
    rows, half = len(noise) // 2 * 2, len(noise) // 2
    return (
        is_unrelated(noise[1:rows:2], noise[0:rows:2])
        and is_unrelated(noise[2:rows:2], noise[1 : rows - 1 : 2])
        and is_unrelated(noise[half:rows], noise[:half])
    )


def coordinates_differ(noise: Tensor) -> bool:
    """Say whether the two coordinates are uncorrelated and, turned by 45 degrees, normal as independent ones are."""
    turned = torch.stack([noise[:, 0] + noise[:, 1], noise[:, 0] - noise[:, 1]], dim=1) / math.sqrt(2)
    return is_unrelated(noise[:, 0], noise[:, 1]) and is_gaussian(turned)


def has_twins(noise: Tensor) -> bool:
    """Say whether rows share their noise.

    Signs apart, for mirrored noise is no draw of its own either, rows are sorted by their first coordinate; of
    neighbours, fewer than a tenth may agree in both coordinates to 1e-4. The expected number for independent rows is
    below n^2 1e-8, so n / 10 of them are out of the question.
    """
    ordered = noise.abs()[noise[:, 0].abs().argsort()]
    twins = ((ordered[1:] - ordered[:-1]).abs() < 1e-4).all(dim=1).sum()
    return bool(twins >= len(noise) / 10)
