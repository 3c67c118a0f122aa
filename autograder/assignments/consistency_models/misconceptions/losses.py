"""Known mistakes in consistency_distillation_loss: `got` is the result, usually a scalar.

Inputs: online and target, functions of (x (B, D), t (B,)) in double precision; x_tn1, x_hat_tn (B, D); t_n1, t_n (B,).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import smooth_l1_loss

from autograder.checking import Known, Misconception, returns

Network = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Batch:
    """What the loss is called with."""

    online: Network
    target: Network
    x_tn1: Tensor
    t_n1: Tensor
    x_hat_tn: Tensor
    t_n: Tensor

    @property
    def gap(self) -> Tensor:
        """The right difference of outputs, (B, D)."""
        return self.online(self.x_tn1, self.t_n1) - self.target(self.x_hat_tn, self.t_n)


def _mistake(id: str, says: str, asks: str, formula: Callable[[Batch], Tensor]) -> Known:
    return Known(Misconception(id, says, asks), returns(lambda **inputs: formula(Batch(**inputs))))


KNOWN = (
    _mistake(
        "not_reduced",
        "The result looks like the squared difference of each coordinate.",
        "A loss is one number; how do the rows and the coordinates come together?",
        lambda b: b.gap.square(),
    ),
    _mistake(
        "one_loss_a_row",
        "The result looks like one loss for each row.",
        "A loss is one number; how do the rows come together?",
        lambda b: b.gap.square().mean(1),
    ),
    _mistake(
        "summed",
        "The squares seem to be summed over the whole batch.",
        "What should happen to the loss when the same batch is handed in twice over?",
        lambda b: b.gap.square().sum(),
    ),
    _mistake(
        "summed_over_coordinates",
        "The squares seem to be averaged over the rows but summed over the coordinates, as in the paper's norm.",
        "Which factor does the notebook's formula put in front?",
        lambda b: b.gap.square().sum(1).mean(),
    ),
    _mistake(
        "summed_over_rows",
        "The squares seem to be averaged over the coordinates but summed over the rows.",
        "What should happen to the loss when the same batch is handed in twice over?",
        lambda b: b.gap.square().sum(0).mean(),
    ),
    _mistake(
        "absolute_difference",
        "The loss looks like a mean absolute difference.",
        "What is done with each difference in the formula before it is averaged?",
        lambda b: b.gap.abs().mean(),
    ),
    _mistake(
        "root_taken",
        "The loss looks like the square root of what is asked for.",
        "Is a root part of the formula?",
        lambda b: b.gap.square().mean().sqrt(),
    ),
    _mistake(
        "norm_not_squared",
        "The loss looks like the mean distance of the rows.",
        "Is it the distance or its square that is averaged?",
        lambda b: b.gap.norm(dim=1).mean(),
    ),
    _mistake(
        "huber",
        "The loss looks like a Huber loss, which treats large differences more mildly.",
        "What is done with each difference in the formula, large or small?",
        lambda b: smooth_l1_loss(b.gap, b.gap * 0),
    ),
    *(
        _mistake(
            "pseudo_huber",
            "The loss looks like the Pseudo-Huber loss of later work.",
            "What does this notebook's formula do with each difference?",
            lambda b, c=c: ((b.gap.square().sum(1) + c**2).sqrt() - c).mean(),  # type: ignore[misc]
        )
        for c in (0.03, 0.00054 * 2**0.5)  # a common choice, and the paper's for two coordinates
    ),
    _mistake(
        "halved",
        "The loss looks like half of what is asked for.",
        "Which factor does the formula put in front?",
        lambda b: b.gap.square().mean() / 2,
    ),
    _mistake(
        "difference_not_squared",
        "The differences seem to be averaged with their signs.",
        "What happens when one row is too high and another too low?",
        lambda b: b.gap.mean(),
    ),
    _mistake(
        "online_as_target",
        "The online network seems to make the label too.",
        "Which network lags behind so that both sides do not chase each other?",
        lambda b: (b.online(b.x_tn1, b.t_n1) - b.online(b.x_hat_tn, b.t_n)).square().mean(),
    ),
    _mistake(
        "target_on_both_sides",
        "The target network seems to make the prediction too.",
        "Which network is to learn?",
        lambda b: (b.target(b.x_tn1, b.t_n1) - b.target(b.x_hat_tn, b.t_n)).square().mean(),
    ),
    _mistake(
        "networks_exchanged",
        "The two networks seem to have exchanged their points.",
        "Which network sees the noisier point?",
        lambda b: (b.target(b.x_tn1, b.t_n1) - b.online(b.x_hat_tn, b.t_n)).square().mean(),
    ),
    _mistake(
        "times_exchanged",
        "Each point seems to be given with the time of the other.",
        "At which noise level does x_tn1 lie?",
        lambda b: (b.online(b.x_tn1, b.t_n) - b.target(b.x_hat_tn, b.t_n1)).square().mean(),
    ),
    _mistake(
        "upper_time_for_both",
        "Both networks seem to be asked at t_n1.",
        "At which noise level does x_hat_tn lie?",
        lambda b: (b.online(b.x_tn1, b.t_n1) - b.target(b.x_hat_tn, b.t_n1)).square().mean(),
    ),
    _mistake(
        "lower_time_for_both",
        "Both networks seem to be asked at t_n.",
        "At which noise level does x_tn1 lie?",
        lambda b: (b.online(b.x_tn1, b.t_n) - b.target(b.x_hat_tn, b.t_n)).square().mean(),
    ),
    _mistake(
        "upper_point_for_both",
        "Both networks seem to see x_tn1.",
        "What was the teacher's step for?",
        lambda b: (b.online(b.x_tn1, b.t_n1) - b.target(b.x_tn1, b.t_n)).square().mean(),
    ),
    _mistake(
        "distance_to_the_point",
        "The prediction seems to be compared with x_hat_tn itself.",
        "Whose output should the online network's output agree with?",
        lambda b: (b.online(b.x_tn1, b.t_n1) - b.x_hat_tn).square().mean(),
    ),
)
