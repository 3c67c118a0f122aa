"""Hidden checks of sample_consistency_multistep: 24 points, 3 of them for what only the box can report.

The model is a probe that the judge answers (sampling.py): every jump is seen, and the noise of each is known. Every run
that a check has made is kept for the checks after it, so that the result, the start and the noise are looked at for
many numbers of samples and of steps.
"""

from __future__ import annotations

from itertools import combinations
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from autograder.assignments.consistency_models.checks.oracles import AffineMap
from autograder.assignments.consistency_models.checks.strategies import SIGMA_MIN, Draw
from autograder.assignments.consistency_models.misconceptions import KNOWN
from autograder.assignments.consistency_models.noise import (
    MANY,
    are_fresh,
    distinct,
    has_few_digits,
    have_a_part_in_common,
    is_gaussian,
    is_reused,
    is_scattered,
    is_standard,
    is_unrelated,
    rows_differ,
    varies,
)
from autograder.assignments.consistency_models.sampling import Jump, Sampled, question_fault, recovered, run_sampler
from autograder.checking import LOW_PRECISION, CheckFailed, Student, contract, expect, inputs, match, points, wrong

TASK = "sample_consistency_multistep"
LEVEL_TOLERANCE = 1e-5  # levels are at most 1; float32's linspace is good to 1e-7
SOMETIMES = (
    "does the code treat some numbers of samples or of steps, or some values of sigma_max, in a way of their own?"
)

_made: WeakKeyDictionary[Student, list[Sampled]] = WeakKeyDictionary()


def explained(run: Sampled, aspect: str, message: str) -> CheckFailed:
    """Return the failure that a known mistake explains, or else the message."""
    if run.n_samples == 1 and aspect in ("start", "noise"):
        return wrong(message)  # one row is shared by all rows, whatever it is
    return expect.explained(match(KNOWN[TASK], run, aspect=aspect), message)


def sampled(
    student: Student, draw: Draw, n_samples: int, n_steps: int, sigmas: tuple[float, float] | None = None
) -> Sampled:
    """Call the sampler with a probe and keep the run; raises unless questions and result have the form asked for."""
    run = run_sampler(student, draw, n_samples, n_steps, sigmas)
    for question in run.questions:
        fault = question_fault(question, n_samples)
        if fault is not None:
            raise contract(fault)
    expect.tensor(run.reply, (n_samples, 2), TASK)
    _made.setdefault(student, []).append(run)
    return run


def made_for(student: Student) -> list[Sampled]:
    """Return the runs of this student's sampler so far in which the model was asked."""
    return [run for run in _made.get(student, ()) if run.jumps]


def check_jumps(run: Sampled) -> None:
    """Raise unless the model was asked n_steps times, at the right levels."""
    asked, right = len(run.questions), run.n_steps
    if asked != right:
        asked_how = "not asked at all" if asked == 0 else "asked too often" if asked > right else "asked too rarely"
        raise explained(run, "levels", f"The model is {asked_how}, expected exactly n_steps questions.")
    for jump, level in zip(run.jumps, run.levels, strict=True):
        if not bool(((jump.t - level).abs() <= LEVEL_TOLERANCE).all()):
            raise explained(
                run,
                "levels",
                "The model is asked at other noise levels than those of the docstring. "
                "Print the times of all jumps for n_steps = 4: where do they start, and where would the next one be?",
            )


@points(5, value=True)
@inputs.each_seed(1)
def test_jumps(student: Student, seed: int) -> None:
    """The model is asked n_steps times, once at each noise level."""
    draw = Draw(seed)
    drawn = (draw.whole(4, 40), draw.whole(9, 16))
    for n_samples, n_steps in ((3, 4), (2, 2), (1, 1), (1, 3), (1000, 2), (2000, 4), (2, 20), drawn):
        check_jumps(sampled(student, draw, n_samples, n_steps))


@points(2, value=True)
@inputs.each_seed(1)
def test_other_levels(student: Student, seed: int) -> None:
    """The levels follow sigma_min and sigma_max, whatever they are."""
    draw = Draw(seed)
    # Both differ from their defaults first, so that it can be said which of them is not used.
    for n_samples, n_steps, sigma_min, sigma_max in (
        (draw.whole(500, 900), 5, 0.1, 0.6),
        (4, 3, 0.05, 1.0),
        (1, 4, SIGMA_MIN, 0.7),
        (2, 1, 0.01, 0.9),
    ):
        sigmas = (sigma_min, sigma_max)
        check_jumps(sampled(student, draw, n_samples, n_steps, sigmas))


@points(3, value=True)
@inputs.each_seed(1)
def test_result(student: Student, seed: int) -> None:
    """The model's last estimate is returned as it is."""
    draw = Draw(seed)
    # Eight steps are the most that the notebook makes.
    for n_samples, n_steps in ((1000, 4), (2000, 2), (1, 3), (2, 1), (3, 8), (draw.whole(2, 9), draw.whole(5, 7))):
        check_result(sampled(student, draw, n_samples, n_steps))
    for run in made_for(student):
        check_result(run)


def check_result(run: Sampled) -> None:
    """Raise unless the result is the model's last answer."""
    if not run.answers:
        raise wrong("The result is no estimate of the model, which was not asked; what is it for?")
    if not torch.equal(run.reply.value, run.answers[-1]):
        raise explained(
            run, "result", "The result is not the model's last estimate; what happens to it after the last jump?"
        )


def start_of(run: Sampled) -> Jump:
    """Return the first jump; raises wrong when the model was never asked."""
    if not run.jumps:
        raise wrong("The model is not asked at all; how does noise become data?")
    return run.jumps[0]


@points(4, value=True)
@inputs.each_seed(1)
def test_first_noise(student: Student, seed: int) -> None:
    """The start is standard normal noise, whatever sigma_max is."""
    draw = Draw(seed)
    for n_steps, sigmas in ((1, None), (2, (SIGMA_MIN, 0.3 + 0.05 * draw.whole(0, 10)))):
        run = sampled(student, draw, MANY, n_steps, sigmas)
        noise = start_of(run).x
        if not (is_gaussian(noise) and rows_differ(noise)):
            raise explained(
                run,
                "start",
                "The points of the first jump are not independent draws from a standard normal distribution. "
                "What are their mean, their spread and their largest values, and has every sample a noise of its own?",
            )
    runs = made_for(student)
    for run in runs:
        if not are_fresh([run.jumps[0].x]):
            raise explained(
                run, "start", f"The first jump starts from standard normal noise in some calls only; {SOMETIMES}"
            )
    if not is_standard(torch.cat(distinct([run.jumps[0].x for run in runs]))):
        raise wrong(
            "The points of first jumps are nearly standard normal, but not quite. "
            "What are the mean and the spread of each coordinate over many calls?"
        )


@points(5, value=True)
@inputs.each_seed(1)
def test_renoising(student: Student, seed: int) -> None:
    """Between two jumps the estimate is mixed with fresh noise, down to the next level."""
    draw = Draw(seed)
    for n_steps, sigmas in ((3, (0.2, 0.8)), (8, None)):  # eight are the most that the notebook makes
        run = sampled(student, draw, MANY, n_steps, sigmas)
        start_of(run)
        if len(run.jumps) < 2:
            raise wrong("There is no second jump, so nothing is mixed with noise; what are n_steps jumps for?")
        if any(has_few_digits(jump.x.float()) for jump in run.jumps[1:]):
            raise wrong(LOW_PRECISION.message, LOW_PRECISION.id)
        if not renoised_rightly(run):
            raise explained(
                run,
                "noise",
                "The points of the later jumps are not fresh mixtures of the last estimate and noise. "
                "Which formula gives a point at noise level s, and where does its noise come from?",
            )
    check_all_noise([run for run in made_for(student) if len(run.jumps) > 1])


def noises_of(run: Sampled) -> list[Tensor] | None:
    """Return the noises of the later points if they were mixed rightly; None where a level is none."""
    if not all(jump.level > 0 for jump in run.jumps):
        return None
    return [recovered(before, jump) for before, jump in zip(run.jumps[:-1], run.jumps[1:], strict=True)]


def renoised_rightly(run: Sampled) -> bool:
    """Say whether every later point is (1 - s) h + s z with z standard normal, fresh, and its own in each row."""
    noises = noises_of(run)
    if noises is None:
        return False
    seen = [run.jumps[0].x]
    for before, noise in zip(run.jumps[:-1], noises, strict=True):
        unrelated = all(is_unrelated(noise, other) for other in (*seen, before.answer))
        fresh = unrelated and not any(is_reused(noise, other) for other in seen)
        if not (is_gaussian(noise) and rows_differ(noise) and fresh):
            return False
        seen.append(noise)
    return is_scattered(seen) and (len(seen) < 6 or varies(seen))


def check_all_noise(runs: list[Sampled]) -> None:
    """Raise unless the noise between jumps is fresh in each run and, in all of them together, standard normal."""
    noises: list[Tensor] = []
    for run in runs:
        found = noises_of(run)
        if found is None or not are_fresh(found):
            raise explained(run, "noise", f"The later jumps start from fresh mixtures in some calls only; {SOMETIMES}")
        noises += found
    estimates = torch.cat([jump.answer for run in runs for jump in run.jumps[:-1]])
    if not is_standard(torch.cat(distinct(noises))) or have_a_part_in_common(torch.cat(noises), estimates):
        raise wrong(
            "The points of the later jumps are nearly mixtures of the last estimate and standard normal noise, but not "
            "quite. What are the weights of both, and what are the mean and the spread of each coordinate of the noise?"
        )


@points(2, value=True)
@inputs.each_seed(1)
def test_two_calls(student: Student, seed: int) -> None:
    """Two calls never draw the same noise."""
    draw = Draw(seed)
    runs = [sampled(student, draw, MANY, 2) for _ in range(2)]
    for run in runs:
        check_jumps(run)
    # What the second point is off the estimate: noise where it is mixed rightly.
    first, second = (run.jumps[1].x - (1 - run.jumps[1].level) * run.jumps[0].answer for run in runs)
    starts_repeat = any(repeat(one, other) for one, other in combinations(made_for(student), 2))
    if starts_repeat or have_a_part_in_common(first, second):
        raise explained(
            runs[1], "again", "Two calls draw the same noise. Who sets the seed of the random numbers, and how often?"
        )


def repeat(run: Sampled, other: Sampled) -> bool:
    """Say whether two runs of one number of samples start from the same noise."""
    if run.n_samples != other.n_samples:
        return False
    one, two = run.jumps[0].x, other.jumps[0].x
    return torch.equal(one, two) or (run.n_samples == MANY and have_a_part_in_common(one, two))


@points(1.5)
@inputs.each_seed(1)
def test_no_gradient(student: Student, seed: int) -> None:
    """The result carries no gradient, and the model stays as it was."""
    draw = Draw(seed)
    check_jumps(sampled(student, draw, 3, 2))
    # The same answer for every point, so that the right result is known without knowing the noise.
    model = AffineMap(torch.zeros(2, 2), draw.normal(2), draw.normal(2))
    reply = expect.call(student, TASK, model.model(), 4, 3)
    got = expect.tensor(reply, (4, 2), TASK)
    last = SIGMA_MIN + (1 - SIGMA_MIN) / 3
    if not model.at(torch.zeros(4, 2), torch.full((4,), last)).matches(got):
        raise wrong("With a model that gives the same estimate for every point, the result is another one.")
    if reply.requires_grad or any(run.reply.requires_grad for run in made_for(student)):
        raise contract(
            "The result still hangs on the model's graph, expected a tensor that asks for no gradient; "
            "who needs the graph of a sample?",
            "graph_on_samples",
        )
    expect.weights_kept(expect.model(reply, 0, "the model"), model.state, "the model")
    expect.gradients_left_on(reply)


@points(1.5)
@inputs.each_seed(1)
def test_generators(student: Student, seed: int) -> None:
    """The global random generators are drawn from, at most, and never seeded again."""
    draw, runs = Draw(seed), []
    for start in (seed, seed + 1):
        student.seed(start)
        runs.append(sampled(student, draw, 3, 2))
        check_jumps(runs[-1])
    first, second = (run.reply.generators for run in runs)
    # After other seeds a generator stands elsewhere, unless the call has put it in its place.
    alike = any(one == other for one, other in zip(first, second, strict=False))
    if alike or any(run.reply.reseeded for run in made_for(student)):
        raise contract(
            "A global random generator was seeded during the call, expected it to run on; "
            "what does that do to the noise of everyone else who draws from it?",
            "reseeds_global_generator",
        )
