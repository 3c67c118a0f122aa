"""Train the lesson's models by the notebook's own cells, and export what the lesson's page draws.

    python benchmarks/lesson_models.py

writes, into source/consistency-models/lesson/, models.bin (the weights, little-endian float32), models.json (what each
model is and where its weights begin) and pictures.json (points for the figures that do not move). The seed is the
notebook's, so that these are the models that a student has; what the lesson says about them in general is measured
over many seeds by claims.py. Takes about a minute on one core.
"""

import json
import sys
from datetime import UTC, datetime

import torch
from claims_cells import ROOT, load_with_teacher
from claims_samples import jump_with_first_noise

from autograder.assignment import load_assignment
from autograder.system.files import write_atomically

LESSON = load_assignment(ROOT).lesson
SEED = 0
CLOUD = 400  # points of a small picture
TRACK_STEPS = 200  # of the teacher's ODE, as in the notebook
LEVELS = (0.9, 0.7, 0.5, 0.3, 0.1)  # the marked points of the one trajectory
JUMPS_SEED = 3  # of the drawn run of four jumps, chosen for arrows that do not hide one another
NOISE_SEED = 4  # of the clouds of eight jumps
PAIR = (0.45, 0.75)  # neighbouring levels of the training pair, drawn further apart than training has them


def train_all() -> dict:
    """Return the notebook's namespace with its teacher, and under `models` every model by name."""
    names = load_with_teacher(SEED)
    train, pair = names["train_consistency_model"], names["distillation_pair"]
    models = {"teacher": names["teacher"], "distilled": train(pair, backbone=names["teacher"], seed=SEED)[0]}
    for decay, recipe in names["short_recipes"].items():
        models[f"decay_{decay:g}"] = train(pair, recipe, seed=SEED)[0]
        print(f"decay {decay:g}: done", file=sys.stderr, flush=True)
    without = train(names["consistency_training_pair"], names["bonus_recipe"], seed=SEED)[0]
    recipes = {"distilled": names["Recipe"](), "no_teacher": names["bonus_recipe"]}
    recipes |= {f"decay_{decay:g}": recipe for decay, recipe in names["short_recipes"].items()}
    return names | {"models": models | {"no_teacher": without}, "recipes": recipes}


def export_weights(names: dict, prelude_sha256: str) -> tuple[bytes, dict]:
    """Return the weights of all models in a row, and what says how to read them."""
    blob, listed = b"", []
    for name, model in names["models"].items():
        network = getattr(model, "backbone", model)
        weights = torch.cat([p.detach().flatten() for p in network.parameters()]).numpy().astype("<f4")
        hidden = network.time_mlp[0].out_features
        listed.append({"name": name, "hidden": hidden, "first": len(blob) // 4, "count": len(weights)})
        if network is not model:
            recipe = names["recipes"][name]
            listed[-1] |= {"decay": recipe.decay, "steps": recipe.n_steps}
            listed[-1]["endpoint_error"] = round(names["endpoint_error"](model), 4)
        blob += weights.tobytes()
    record = {
        "made": {"date": datetime.now(UTC).date().isoformat(), "torch": torch.__version__, "seed": SEED},
        "prelude_sha256": prelude_sha256,
        "sigma_min": names["models"]["distilled"].sigma_min,
        "models": listed,
    }
    return blob, record


def rounded(points: torch.Tensor, digits: int = 3) -> list:
    """Return points as lists, rounded to what a picture shows."""
    return [[round(value, digits) for value in row] for row in points.tolist()]


class Recorder:
    """A model that remembers where it was asked and what it said."""

    def __init__(self, model: torch.nn.Module) -> None:
        self.model, self.visited = model, []

    def __call__(self, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        """Answer as the model does."""
        answer = self.model(x, t)
        self.visited += [x[0], answer[0]]
        return answer


def draw_pictures(names: dict) -> dict:
    """Return the points of the figures: clouds, trajectories, one trajectory with its marks, one training pair."""
    teacher, models, solve = names["teacher"], names["models"], names["solve_ode"]
    endpoint, moons = names["ode_endpoint"], names["sample_two_moons"]
    torch.manual_seed(2)  # the eight starts of the notebook's Exercise 1
    tracks = torch.stack([x for x, _ in solve(teacher, torch.randn(8, 2), 1.0, 0.0, TRACK_STEPS)])
    route = tracks[:, tracks.diff(dim=0).norm(dim=2).sum(dim=0).argmax()]  # (201, 2), the longest
    marks = route[[round(TRACK_STEPS * (1 - t)) for t in LEVELS]]
    t_n, t_n1 = PAIR
    upper = route[[round(TRACK_STEPS * (1 - t_n1))]]
    noise, ones = torch.randn(CLOUD, 2), torch.ones(CLOUD)
    clouds = {"data": moons(CLOUD), "noise": noise}
    clouds |= {f"teacher_{n}": endpoint(teacher, noise, n_steps=n) for n in (1, 5, 50)}
    with torch.no_grad():
        clouds |= {f"{name}_jump": models[name](noise, ones) for name in ("distilled", "decay_0.999")}
    for name, sampler in (("fresh", names["sample_consistency_multistep"]), ("reused", jump_with_first_noise)):
        torch.manual_seed(NOISE_SEED)  # the same first noise for both
        clouds[f"{name}_8"] = sampler(models["distilled"], CLOUD, 8)
    recorder = Recorder(models["distilled"])
    torch.manual_seed(JUMPS_SEED)
    names["sample_consistency_multistep"](recorder, 1, 4)
    return {
        "background": rounded(moons(600), 2),
        "tracks": [rounded(track[::5]) for track in tracks.transpose(0, 1)],
        "route": rounded(route[::2]),
        "levels": LEVELS,
        "marks": rounded(marks),
        "pair": {
            "upper": rounded(upper)[0],
            "lower": rounded(endpoint(teacher, upper, t_n1, t_n, n_steps=1))[0],
        },
        "jumps": rounded(torch.stack(recorder.visited)),
        "conditional": [rounded(pair) for pair in torch.stack([moons(14), torch.randn(14, 2)], dim=1)],
        "clouds": {name: rounded(cloud, 2) for name, cloud in clouds.items()},
    }


def main() -> int:
    """Train, export, say what was written."""
    torch.set_num_threads(1)  # as in the notebook
    names = train_all()
    blob, record = export_weights(names, load_assignment(ROOT).prelude_sha256)
    written = {
        "models.bin": blob,
        "models.json": json.dumps(record, indent=1) + "\n",
        "pictures.json": json.dumps(draw_pictures(names), separators=(",", ":")) + "\n",
    }
    LESSON.mkdir(parents=True, exist_ok=True)
    for name, content in written.items():
        write_atomically(LESSON / name, content)
        print(f"{(LESSON / name).relative_to(ROOT)}: {len(content):,} bytes")
    for model in record["models"]:
        print(f"{model['name']:12} {model.get('endpoint_error', '')}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
