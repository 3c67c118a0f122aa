"""The judge's own short run: its recipe, its optimiser, its data."""

from __future__ import annotations

import torch
from torch import Tensor

from autograder.assignments.consistency_models.training.recipe import (
    Progress,
    Recipe,
    draw_batches,
    initial_vector,
    record,
    train,
)
from tests.trainings import SHORT, short_reference


def test_rate_is_constant_then_falls_to_zero() -> None:
    """The last 40 % of the steps fall in a line, the step after the last one would have rate 0."""
    recipe = Recipe(steps=100, peak=1.0)
    assert [recipe.rate(step) for step in (0, 60)] == [1.0, 1.0]
    assert recipe.rate(80) == 0.5
    assert recipe.rate(100) == 0.0


def test_descend_is_torchs_adam() -> None:
    """Twenty steps of ours and of torch.optim.Adam end at the same weights, to float32's rounding."""
    generator = torch.Generator().manual_seed(0)
    start, gradients = torch.randn(50, generator=generator), torch.randn(20, 50, generator=generator)
    run, parameter = Progress(SHORT, start), torch.nn.Parameter(start.clone())
    adam = torch.optim.Adam([parameter], lr=1.0)
    for step, gradient in enumerate(gradients):
        run.descend(gradient)
        run.end_step(run.target)
        adam.param_groups[0]["lr"] = SHORT.rate(step)
        parameter.grad = gradient.clone()
        adam.step()
    assert torch.allclose(run.online, parameter.detach(), rtol=0, atol=1e-6)  # 20 roundings of 1e-7 on values about 1


def test_descend_leaves_the_vectors_that_were_given_away() -> None:
    """A question may still hold the old weights when the next step is taken."""
    start = torch.ones(3)
    run = Progress(SHORT, start)
    run.descend(torch.ones(3))
    assert torch.equal(start, torch.ones(3))
    assert not torch.equal(run.online, start)


def test_copy_goes_on_by_itself() -> None:
    """What the copy does is not seen in the original, moments included."""
    run = Progress(SHORT, torch.ones(3))
    run.descend(torch.ones(3))
    before, other = run.online, run.copy()
    other.descend(-torch.ones(3))
    other.end_step(other.averaged())
    assert torch.equal(run.online, before)
    assert run.step == 0
    run.descend(-torch.ones(3))
    assert torch.equal(run.online, other.online)


def test_averaged_is_the_definition() -> None:
    """decay target + (1 - decay) online, by hand."""
    run = Progress(Recipe(decay=0.75), torch.tensor([2.0]))
    run.online = torch.tensor([4.0])
    assert run.averaged().tolist() == [2.5]


def test_draw_batches_draws_neighbouring_levels_of_the_data() -> None:
    """Times are neighbours on the recipe's levels; points are rows of the data; the seed alone decides."""
    data = torch.arange(20.0).reshape(10, 2)
    batches = draw_batches(SHORT, data)
    spacing = (1 - SHORT.sigma_min) / SHORT.levels
    assert torch.allclose(batches.t_n1 - batches.t_n, torch.tensor(spacing), atol=1e-6)
    assert batches.t_n.min() >= SHORT.sigma_min - 1e-7
    assert batches.t_n1.max() <= 1
    assert batches.x_0.shape == batches.epsilon.shape == (SHORT.steps, SHORT.batch, 2)
    assert set(batches.x_0[..., 0].unique().tolist()) <= set(data[:, 0].tolist())
    torch.manual_seed(5)
    assert torch.equal(draw_batches(SHORT, data).epsilon, batches.epsilon)


def test_initial_vector_lies_within_one_over_the_root_of_fan_in() -> None:
    """Weights and biases of a layer of fan in 4 lie in +-1/2 and fill it."""
    vector = initial_vector(SHORT, {"a.weight": (100, 4), "a.bias": (100,)})
    assert vector.shape == (500,)
    assert 0.45 < vector.abs().max() <= 0.5


def test_train_with_the_reference_ends_where_its_record_ended() -> None:
    """The recorded run averages by definition, a training by ema_update: the same up to rounding."""
    reference = short_reference()
    trace = record(reference.functions, reference.recipe, reference.batches, reference.start)
    online = train(reference.functions, reference.batches, Progress(reference.recipe, reference.start))
    assert torch.allclose(online, trace.online, rtol=0, atol=1e-4)
    assert trace.gradient.shape == (SHORT.steps, len(reference.start))


def test_record_is_the_same_twice() -> None:
    """No generator but our own is drawn from, so that a report can be the same twice."""
    reference = short_reference()
    torch.manual_seed(1)
    again: Tensor = record(reference.functions, reference.recipe, reference.batches, reference.start).online
    assert torch.equal(again, reference.run.online)
