"""The known mistakes: their words, their records, and what they are not mistaken for."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
import torch

from autograder.assignments.consistency_models import misconceptions
from autograder.assignments.consistency_models.checks import oracles
from autograder.assignments.consistency_models.checks.oracles import AffineMap
from autograder.assignments.consistency_models.checks.strategies import SIGMA_MIN, Draw
from autograder.assignments.consistency_models.misconceptions import ALL, KNOWN
from autograder.assignments.consistency_models.misconceptions.known import OWN_RANDOMNESS
from autograder.assignments.consistency_models.noise import MANY
from autograder.assignments.consistency_models.sampling import Sampled
from autograder.checking import LOW_PRECISION, Expected, Question, Reply, match
from tests.bank import load_bank
from tests.notebooks import reference_answers

EVERY = {**ALL, ("any", "low_precision"): LOW_PRECISION, ("any", "own_randomness"): OWN_RANDOMNESS}
CHECKS = Path(misconceptions.__file__).parent.parent / "checks"


def inputs_of(task: str) -> dict[str, Any]:
    """Return what a task's mistakes are computed from."""
    draw = Draw(4)
    x_0, epsilon, (t_n1, t_n) = draw.normal(5, 2), draw.normal(5, 2), draw.neighbours(5)
    one, other = (AffineMap(draw.normal(2, 2), draw.normal(2), draw.normal(2)) for _ in range(2))
    return {
        "noisy_sample": {"x_0": x_0, "epsilon": epsilon, "t": t_n1},
        "teacher_ode_step": {"teacher": lambda x, t: one.at(x, t).value, "x_tn1": x_0, "t_n1": t_n1, "t_n": t_n},
        "consistency_distillation_loss": {
            "online": lambda x, t: one.at(x, t).value,
            "target": lambda x, t: other.at(x, t).value,
            "x_tn1": x_0,
            "t_n1": t_n1,
            "x_hat_tn": epsilon,
            "t_n": t_n,
        },
        "ema_update": {"online": one.state, "target": other.state, "decay": 0.75, "online_after": one.state},
        "sample_consistency_multistep": {"aspect": "noise"},
        "consistency_training_pair": {"x_0": x_0, "epsilon": epsilon, "t_n1": t_n1, "t_n": t_n},
    }[task]


def right_of(task: str) -> Any:
    """Return the right answer to these inputs, in float32."""
    given = inputs_of(task)
    if task == "noisy_sample":
        return oracles.mixture(**given).value.float()
    if task == "teacher_ode_step":
        x_tn1, t_n1, t_n = given["x_tn1"], given["t_n1"], given["t_n"]
        v = given["teacher"](x_tn1, t_n1)
        return oracles.euler_step(x_tn1, t_n1, t_n, Expected(v, v.abs())).value.float()
    if task == "consistency_distillation_loss":
        gap = given["online"](given["x_tn1"], given["t_n1"]) - given["target"](given["x_hat_tn"], given["t_n"])
        return gap.square().mean().float()
    if task == "ema_update":
        target, online, decay = given["target"], given["online"], given["decay"]
        return {name: oracles.average(target[name], online[name], decay).value.float() for name in target}
    x_0, epsilon, t_n1, t_n = given.values()
    return tuple(oracles.mixture(x_0, epsilon, t).value.float() for t in (t_n1, t_n))


@pytest.mark.parametrize("key", EVERY, ids="-".join)
def test_words(key: tuple[str, str]) -> None:
    """A sentence on what the code seems to do, then a question; short, and no line of the reference."""
    known = EVERY[key]
    assert known.id == key[1]
    assert re.fullmatch(r"[a-z0-9_]+", known.id)
    assert known.says.endswith(".")
    assert known.asks.endswith("?")
    assert len(known.message) < 300
    for source in reference_answers().values():
        body = source.rpartition('"""')[2]
        lines = [line.strip() for line in body.splitlines() if len(line.strip()) > 8]
        assert not any(line in known.message for line in lines)


def test_names_are_many_and_each_stands_once() -> None:
    """At least thirty named mistakes; within a task a name means one mistake."""
    assert len({name for _, name in ALL}) >= 30
    for task, entries in KNOWN.items():
        texts: dict[str, str] = {}
        for known in entries:
            mistake = known.misconception
            assert texts.setdefault(mistake.id, mistake.message) == mistake.message, task


def test_each_is_shown_by_a_record() -> None:
    """Each known mistake is the one that some record's first failing check names."""
    shown = {(record.task, record.misconception) for record in load_bank() if record.misconception}
    names = {name for _, name in shown}
    assert not [key for key in ALL if key not in shown]
    assert {LOW_PRECISION.id, OWN_RANDOMNESS.id} <= names


def test_records_name_known_mistakes_only() -> None:
    """A misconception in the bank is one of the known ones, or stands in a check itself."""
    written = {
        node.value
        for path in CHECKS.glob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    names = {name for _, name in EVERY} | written
    assert not [record.id for record in load_bank() if record.misconception and record.misconception not in names]


@pytest.mark.parametrize("task", [task for task in KNOWN if task != "sample_consistency_multistep"])
def test_right_answers_show_no_mistake(task: str) -> None:
    """The right result is none of the known mistakes."""
    assert match(KNOWN[task], right_of(task), **inputs_of(task)) is None


@pytest.mark.parametrize("task", list(KNOWN))
def test_odd_results_match_nothing(task: str) -> None:
    """What is no result at all matches nothing, and raises nothing."""
    for got in (None, 3, "text", [], {}, (None, None), torch.tensor(torch.nan), torch.zeros(0), {"weight": None}):
        assert match(KNOWN[task], got, **inputs_of(task)) is None


def test_one_row_tells_nothing() -> None:
    """A batch of one row is not matched: too many mistakes look alike in it."""
    x_0, epsilon, t = torch.ones(1, 2), torch.zeros(1, 2), torch.tensor([0.25])
    assert match(KNOWN["noisy_sample"], 0.25 * x_0, x_0=x_0, epsilon=epsilon, t=t) is None


def test_a_mean_of_the_start_is_no_relation() -> None:
    """A start with a mean of its own in each coordinate is not said to share its noise, whatever the draw."""
    off, reply = torch.tensor([0.08, -0.08]), Reply(None, "NoneType", False, [], False, False, [])
    for seed in range(20):  # for three of these, x_0 + x_1 and x_0 - x_1 together are not normal by has_shape
        x = torch.randn(MANY, 2, generator=torch.Generator().manual_seed(seed)) + off
        run = Sampled(MANY, 1, SIGMA_MIN, 1.0, [Question(x, torch.ones(MANY))], [x], reply)
        assert match(KNOWN["sample_consistency_multistep"], run, aspect="start") is None
