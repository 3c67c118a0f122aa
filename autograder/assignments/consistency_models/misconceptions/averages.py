"""Known mistakes in ema_update: `got` is the target's state after the call, by name.

Inputs: online and target, the states before the call, decay, and online_after, online's state after it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from autograder.checking import Known, Misconception, alike

State = dict[str, Tensor]
Formula = Callable[[Tensor, Tensor, float], Tensor]


def _behaves(formula: Formula, one: Callable[[list[str]], str] | None) -> Callable[..., bool]:
    """Return the test for a target whose parameters (all, or that one) are what the formula gives."""

    def behaves(got: Any, online: State, target: State, decay: float, online_after: State) -> bool:
        if not isinstance(got, dict) or got.keys() != target.keys():
            return False
        chosen = list(target) if one is None else [one(list(target))]
        return all(
            alike(
                got[name], formula(value.double(), online[name].double(), decay) if name in chosen else value.double()
            )
            for name, value in target.items()
        )

    return behaves


def _mistake(id: str, says: str, asks: str, formula: Formula, one: Callable[[list[str]], str] | None = None) -> Known:
    return Known(Misconception(id, says, asks), _behaves(formula, one))


def _average(target: Tensor, online: Tensor, decay: float) -> Tensor:
    return decay * target + (1 - decay) * online


def _roles_exchanged(got: Any, online: State, target: State, decay: float, online_after: State) -> bool:
    return decay != 1 and all(
        alike(online_after[name], _average(value.double(), target[name].double(), decay))
        for name, value in online.items()
    )


def _some_only(got: Any, online: State, target: State, decay: float, online_after: State) -> bool:
    """Every parameter is either as it was or as it should be, and there are some of each."""
    kept = [alike(got[name], value.double()) for name, value in target.items()]
    moved = [alike(got[name], _average(value.double(), online[name].double(), decay)) for name, value in target.items()]
    return any(kept) and any(moved) and all(one or other for one, other in zip(kept, moved, strict=True))


def _constant(decay: float) -> Known:
    return _mistake(
        f"decay_fixed_at_{decay}".replace(".", "_"),
        f"The decay seems to be {decay} whatever it is asked to be.",
        "What should another decay change?",
        lambda target, online, _: _average(target, online, decay),
    )


KNOWN = (
    Known(
        Misconception(
            "roles_exchanged",
            "The online network seems to be moved towards the target.",
            "Which of the two lags behind the other?",
        ),
        _roles_exchanged,
    ),
    _mistake(
        "never_updated",
        "The target's parameters are what they were before the call.",
        "Does the update change the tensors themselves, or only what a name in the loop refers to?",
        # Where a decay nearer to one is the first to fail, others have been right. At 0 exchanged weights look like it.
        lambda target, online, decay: target if 0 < decay <= 0.9 else target * float("nan"),
    ),
    _mistake(
        "decay_exchanged",
        "The weights of target and online seem to be exchanged.",
        "With a decay close to one, should the target move slowly or fast?",
        lambda target, online, decay: _average(online, target, decay) if decay else target * float("nan"),
    ),
    _mistake(
        "hard_copy",
        "The target seems to become a copy of the online network.",
        "What should be left of the old target?",
        lambda target, online, decay: online,
    ),
    _constant(0.9),
    _constant(0.95),
    _constant(0.99),
    _constant(0.999),
    _constant(0.5),
    _mistake(
        "online_added",
        "The online network's share seems to be added to the whole old target.",
        "Do the two weights add up to one?",
        lambda target, online, decay: target + (1 - decay) * online,
    ),
    _mistake(
        "online_unscaled",
        "The online parameters seem to be added at full weight.",
        "Do the two weights add up to one?",
        lambda target, online, decay: decay * target + online,
    ),
    _mistake(
        "only_decayed",
        "The target seems to shrink towards zero, with nothing of the online network in it.",
        "What should the rest of the weight be given to?",
        lambda target, online, decay: decay * target,
    ),
    _mistake(
        "away_from_online",
        "The target seems to move away from the online network.",
        "Which difference points from the target to the online network?",
        lambda target, online, decay: target + (1 - decay) * (target - online),
    ),
    _mistake(
        "updated_twice",
        "The update seems to be made twice in one call.",
        "How often does each parameter come by in the loop?",
        lambda target, online, decay: _average(_average(target, online, decay), online, decay),
    ),
    _mistake(
        "first_parameter_only",
        "Only the first parameter seems to be updated.",
        "Does the loop end before it has seen the others?",
        _average,
        one=lambda names: names[0],
    ),
    _mistake(
        "last_parameter_only",
        "Only the last parameter seems to be updated.",
        "Is the update inside the loop or after it?",
        _average,
        one=lambda names: names[-1],
    ),
    Known(
        Misconception(
            "some_parameters_only",
            "Some parameters seem to be updated, others to be left as they were.",
            "Which of them does the loop never come by?",
        ),
        _some_only,
    ),
)
