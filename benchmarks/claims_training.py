"""Measure ways to train: the decay on the main and on the short recipe, regression, both sides, and the climb."""

import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain

import torch

DECAYS = (0.0, 0.5, 0.9, 0.99, 0.999)
WALK = 50  # steps of the teacher that a regression learns the end of
CLIMB_STEPS = (*range(20, 601, 20), *range(700, 2001, 100))  # training steps at which the climb is looked at
CLIMB_LEVELS = tuple(round(0.05 * k, 2) for k in range(1, 21))
Grid = list[list[float]]  # the error at each of CLIMB_STEPS, at each of CLIMB_LEVELS


RIGHT = 0.9  # half the error of a single blob


def top_reached(grid: Grid) -> int:
    """Return the first of CLIMB_STEPS after which a jump from pure noise stays below RIGHT; 0 if there is none."""
    wrong = [step for step, row in zip(CLIMB_STEPS, grid, strict=True) if row[-1] >= RIGHT]
    return next((step for step in CLIMB_STEPS if step > max(wrong, default=0)), 0)


class Climb:
    """Looks, during a training, at how far the answers are off at every level, on the teacher's trajectories."""

    def __init__(self, names: dict, points: int = 200) -> None:
        path = names["solve_ode"](names["teacher"], names["check_noise"][:points], 1.0, 0.0, 200)
        self._x = torch.cat([path[round(200 * (1 - t))][0] for t in CLIMB_LEVELS])
        self._t = torch.tensor(CLIMB_LEVELS, dtype=torch.float32).repeat_interleave(points)
        self._end = path[-1][0].repeat(len(CLIMB_LEVELS), 1)
        self._names = names

    @torch.no_grad()
    def errors(self, model: torch.nn.Module) -> list[float]:
        """Return the mean distance of the model's answer to the trajectory's end, at each of CLIMB_LEVELS."""
        off = (model(self._x, self._t) - self._end).norm(dim=1)
        return [round(error, 4) for error in off.view(len(CLIMB_LEVELS), -1).mean(dim=1).tolist()]

    @contextmanager
    def watch(self) -> Iterator[Grid]:
        """Yield the grid that a training in this block fills; it changes nothing in the training."""
        grid: Grid = []
        original, done = self._names["ema_update"], iter(range(1, 1_000_000))

        def looking(online: torch.nn.Module, target: torch.nn.Module, decay: float) -> None:
            original(online, target, decay)
            if next(done) in CLIMB_STEPS:
                grid.append(self.errors(online))

        self._names["ema_update"] = looking
        try:
            yield grid
        finally:
            self._names["ema_update"] = original


def measure_decays(names: dict, seed: int) -> tuple[dict[str, float], dict[str, Grid], torch.nn.Module]:
    """Return errors and losses by decay, the climbs, and the model of the notebook's own full run.

    On the main recipe from both starts, and on the short recipe.
    """
    train, pair, recipe = names["train_consistency_model"], names["distillation_pair"], names["Recipe"]
    climb = Climb(names)
    runs = {("teacher", decay): (recipe(decay=decay), names["teacher"]) for decay in DECAYS}
    runs |= {("random", decay): (recipe(decay=decay), None) for decay in DECAYS}
    runs |= {("short", decay): (short, None) for decay, short in names["short_recipes"].items()}
    found: dict[str, float] = {}
    climbs: dict[str, Grid] = {}
    for (start, decay), (chosen, backbone) in runs.items():
        with climb.watch() as grid:
            model, history = train(pair, chosen, backbone=backbone, seed=seed)
        prefix = "decay" if start == "short" else f"main_{start}"
        found[f"{prefix}.{decay}"] = names["endpoint_error"](model)
        found[f"{prefix}_loss.{decay}"] = statistics.mean(history["loss"][-50:])
        climbs[f"{start}.{decay}"] = grid
        if (start, decay) == ("teacher", recipe().decay):
            kept = model
    return found, climbs, kept


def leaking_loss(online, target, x_tn1, t_n1, x_hat_tn, t_n):  # noqa: PLR0913 - the task's signature
    """Return the loss with the gradient flowing into both answers of the online network."""
    return torch.nn.functional.mse_loss(online(x_tn1, t_n1), online(x_hat_tn, t_n))


def measure_both_sides(names: dict, seed: int) -> dict[str, float]:
    """Return endpoint errors of runs whose gradient flows into the target's side as well, and of one without."""
    train, error = names["train_consistency_model"], names["endpoint_error"]
    short = names["short_recipes"][0.9]
    with_teacher, without = names["distillation_pair"], names["consistency_training_pair"]
    reference = names["consistency_distillation_loss"]
    found = {"one_side.no_teacher": error(train(without, short, seed=seed)[0])}
    names["consistency_distillation_loss"] = leaking_loss
    try:
        found["both_sides.teacher"] = error(train(with_teacher, short, seed=seed)[0])
        found["both_sides.no_teacher"] = error(train(without, short, seed=seed)[0])
        found["main_both_sides"] = error(train(with_teacher, backbone=names["teacher"], seed=seed)[0])
    finally:
        names["consistency_distillation_loss"] = reference
    return found


def regress(
    names: dict, seed: int, start: torch.nn.Module | None, all_levels: bool = False, share: float = 1
) -> torch.nn.Module:
    """Return a consistency model trained by regression on the ends of the teacher's walks of WALK steps.

    As many walks as cost the teacher calls of the main recipe, or a share of them; the same steps, batches and learning
    rates. It learns the end from the noise alone, or from every point of each walk.
    """
    recipe = names["Recipe"]()
    torch.manual_seed(seed)
    model = names["ConsistencyModel"](recipe.hidden_dim)
    if start is not None:
        model.backbone.load_state_dict(start.state_dict())
    n_walks = int(share * recipe.n_steps * recipe.batch_size / WALK)
    path = names["solve_ode"](names["teacher"], torch.randn(n_walks, 2), 1.0, 0.0, WALK)
    points, times = torch.stack([x for x, _ in path]), torch.tensor([t for _, t in path])
    optimizer = torch.optim.Adam(model.parameters(), lr=recipe.peak, fused=True)
    for step in range(recipe.n_steps):
        optimizer.param_groups[0]["lr"] = names["learning_rate_at"](step, recipe.n_steps, recipe.peak)
        walk = torch.randint(n_walks, (recipe.batch_size,))
        k = torch.randint(WALK, (recipe.batch_size,)) if all_levels else torch.zeros(recipe.batch_size).long()
        loss = torch.nn.functional.mse_loss(model(points[k, walk], times[k]), points[-1, walk])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.eval()


def measure_levels(name: str, model: torch.nn.Module, names: dict) -> dict[str, float]:
    """Return how far a model's answers are off at each of CLIMB_LEVELS."""
    return {f"level_error.{name}.{t}": e for t, e in zip(CLIMB_LEVELS, Climb(names).errors(model), strict=True)}


def measure_regressions(names: dict, seed: int) -> tuple[dict[str, float], dict[str, torch.nn.Module]]:
    """Return endpoint errors of the regressions, errors by level, and the models that started from the teacher."""
    error, teacher = names["endpoint_error"], names["teacher"]
    models = {
        "regression": regress(names, seed, teacher),
        "regression_levels": regress(names, seed, teacher, all_levels=True),
    }
    found = {f"error.{name}": error(model) for name, model in models.items()}
    found["error.regression_random"] = error(regress(names, seed, None))
    found["error.regression_tenth"] = error(regress(names, seed, teacher, share=0.1))
    found["error.regression_fiftieth"] = error(regress(names, seed, teacher, share=0.02))
    rows = chain.from_iterable(measure_levels(name, model, names).items() for name, model in models.items())
    return found | dict(rows), models
