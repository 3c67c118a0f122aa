"""Hidden checks of ema_update: 16 points, 3 of them for what only the box can report."""

from __future__ import annotations

import torch
from torch import Tensor

from autograder.assignments.consistency_models.checks import oracles, sentences
from autograder.assignments.consistency_models.checks.strategies import LARGE, Draw, consistency_state
from autograder.assignments.consistency_models.misconceptions import KNOWN
from autograder.checking import (
    LOW_PRECISION,
    Model,
    ModelState,
    Reply,
    Student,
    contract,
    expect,
    inputs,
    match,
    points,
)

TASK = "ema_update"
HIDDEN_DIM = 8  # as small as a network of the notebook's class may be without losing a layer
ELSE = (
    "The target's parameters are not the weighted mean of the old target and of online. "
    "Take one parameter, 2 in the target and 4 in online: what should it become with a decay of 0.75?"
)
DECAYS = (
    "The update is right for some decays and wrong for others: what does the code do with the decay before it is used, "
    "and with one that is very small or very close to one?"
)

State = dict[str, Tensor]


def update(student: Student, online: State, target: State, decay: float) -> tuple[Reply, ModelState, ModelState]:
    """Call the answer; return the reply and both models as they are afterwards."""
    size = {"hidden_dim": HIDDEN_DIM}
    reply = expect.call(
        student,
        TASK,
        Model("ConsistencyModel", online, options=size, requires_grad=True),
        Model("ConsistencyModel", target, options=size, requires_grad=False),
        decay,
    )
    return reply, expect.model(reply, 0, "online"), expect.model(reply, 1, "target")


def compare(student: Student, online: State, target: State, decay: float) -> tuple[Reply, ModelState, ModelState]:
    """Compare the target after the call with the closed form; raises CheckFailed, else returns what `update` does."""
    reply, online_after, target_after = update(student, online, target, decay)
    got = {
        name: expect.finite(target_after.state.get(name), tuple(value.shape), f"the target's {name}")
        for name, value in target.items()
    }
    whole = [torch.cat([state[name].flatten() for name in target]) for state in (target, online, got)]
    if not oracles.average(whole[0], whole[1], decay).matches(whole[2]):
        given = {"online": online, "target": target, "decay": decay, "online_after": online_after.state}
        # Nearer to one, different mistakes look alike.
        known = match(KNOWN[TASK], got, **given) if decay <= 0.999 else None
        # With a slower decay, no update at all would look like a rounded one.
        rounded = oracles.average(whole[0], whole[1], decay).matches(whole[2], expect.ROUNDED)
        if known is None and decay <= 0.9 and rounded:
            known = LOW_PRECISION
        raise expect.explained(known, ELSE)
    return reply, online_after, target_after


def networks(draw: Draw, scale: float = 1.0) -> tuple[State, State]:
    """Return the weights of two different networks, of this scale."""
    states = consistency_state(draw, HIDDEN_DIM), consistency_state(draw, HIDDEN_DIM)
    online, target = ({name: scale * value for name, value in state.items()} for state in states)
    return online, target


def compare_each(student: Student, draw: Draw, decays: tuple[float, ...]) -> None:
    """Compare the target for each of these decays, with other networks each time."""
    with expect.only_here(lambda: compare(student, *networks(draw), 0.9), DECAYS):
        for decay in decays:
            compare(student, *networks(draw), decay)


def between(draw: Draw, low: float, high: float) -> float:
    """Return a decay that no table can hold."""
    return float(draw.times(1, low, high))


@points(5, value=True)
@inputs.each_seed(1)
def test_slow_decays(student: Student, seed: int) -> None:
    """With a decay close to one the target follows slowly."""
    draw = Draw(seed)
    # 0.9 comes twice: nothing may be left of a call when the next one has the same decay.
    compare_each(student, draw, (0.9, 0.9, 0.999, between(draw, 0.91, 0.99), 0.9999))
    with expect.only_here(lambda: compare(student, *networks(draw), 0.9), sentences.RANGE):
        compare(student, *networks(draw, LARGE), 0.9)


@points(5, value=True)
@inputs.each_seed(1)
def test_fast_decays(student: Student, seed: int) -> None:
    """With a decay that is not close to one the target follows fast."""
    draw = Draw(seed)
    gaps = (0.52, 0.68), (0.04, 0.16), (0.28, 0.46), (0.72, 0.88)
    compare_each(student, draw, (0.25, 0.5, *(between(draw, *gap) for gap in gaps)))


@points(3, value=True)
@inputs.each_seed(1)
def test_ends(student: Student, seed: int) -> None:
    """A decay of 0 gives online's parameters, a decay of 1 leaves the target as it is."""
    compare_each(student, Draw(seed), (0.0, 1.0, 0.75))


@points(1.5)
@inputs.each_seed(1)
def test_online(student: Student, seed: int) -> None:
    """The online network stays as it was."""
    online, target = networks(Draw(seed))
    _, online_after, _ = compare(student, online, target, 0.7)  # no power of two: scaling there and back leaves a trace
    expect.weights_kept(online_after, online, "online")
    if not all(online_after.requires_grad.values()):
        raise contract(
            "After the update online's parameters ask for no gradient any more, expected online to stay as it is; "
            "how would it go on learning?"
        )


@points(1.5)
@inputs.each_seed(1)
def test_no_gradient(student: Student, seed: int) -> None:
    """The target's parameters are the same objects as before, ask for no gradient and have no graph."""
    reply, _, target_after = compare(student, *networks(Draw(seed)), 0.75)
    expect.gradients_left_on(reply)
    if target_after.graph or any(target_after.requires_grad.values()):
        raise contract(
            "After the update the target's parameters ask for gradients or hang on a graph, expected neither; "
            "online's parameters ask for gradients, so what becomes of a sum they are part of?",
            "graph_on_target",
        )
    if target_after.replaced:
        raise contract(
            "The target's parameters are other objects than before the call, expected the same ones with new values; "
            "who else may still hold the old ones?",
            "parameters_replaced",
        )
