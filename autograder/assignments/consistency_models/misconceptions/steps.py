"""Known mistakes in teacher_ode_step: `got` is the result (B, D).

Inputs: teacher, a function of (x (B, D), t (B,)) in double precision, x_tn1 (B, D), t_n1 and t_n (B,).
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from autograder.assignments.consistency_models.misconceptions.known import column
from autograder.checking import Known, Misconception, alike, returns

Field = Callable[[Tensor, Tensor], Tensor]


def _mistake(id: str, says: str, asks: str, formula: Callable[[Field, Tensor, Tensor, Tensor], Tensor]) -> Known:
    return Known(
        Misconception(id, says, asks),
        returns(lambda teacher, x_tn1, t_n1, t_n: formula(teacher, x_tn1, t_n1, t_n)),
    )


def _heun(teacher: Field, x: Tensor, t_n1: Tensor, t_n: Tensor) -> Tensor:
    step = column(t_n1 - t_n)
    v = teacher(x, t_n1)
    return x - step * (v + teacher(x - step * v, t_n)) / 2


def _one_step_size(teacher: Field, x: Tensor, t_n1: Tensor, t_n: Tensor, got: Tensor) -> Tensor:
    if float((t_n1 - t_n).std()) < 1e-3:
        raise ValueError("one step size is right here")
    v = teacher(x, t_n1)
    return x - ((x - got) * v).sum() / v.square().sum() * v


KNOWN = (
    _mistake(
        "missing_time_axis",
        "The step sizes seem to run along the coordinates instead of along the rows, which shows when the batch has "
        "as many rows as there are coordinates.",
        "What shape must the step have so that it meets a (B, D) tensor row by row?",
        lambda teacher, x, t_n1, t_n: x - (t_n1 - t_n) * teacher(x, t_n1),
    ),
    _mistake(
        "no_step",
        "The result looks like x_tn1 itself: no step was made.",
        "What does the teacher say about the direction from here?",
        lambda teacher, x, t_n1, t_n: x,
    ),
    _mistake(
        "step_uphill",
        "The step seems to have the wrong sign: it goes towards more noise.",
        "The ODE runs from t_n1 down to t_n; what sign does that change of t have?",
        lambda teacher, x, t_n1, t_n: x + column(t_n1 - t_n) * teacher(x, t_n1),
    ),
    _mistake(
        "teacher_at_lower_time",
        "The velocity seems to be taken at the end of the step.",
        "At which time is x_tn1 a point of the trajectory?",
        lambda teacher, x, t_n1, t_n: x - column(t_n1 - t_n) * teacher(x, t_n),
    ),
    _mistake(
        "teacher_at_reversed_time",
        "The teacher seems to be asked at 1 minus the time.",
        "At which end of the time axis is the noise in this notebook?",
        lambda teacher, x, t_n1, t_n: x - column(t_n1 - t_n) * teacher(x, 1 - t_n1),
    ),
    _mistake(
        "leap_to_zero",
        "The step seems to go all the way to t = 0.",
        "At which noise level should the point arrive?",
        lambda teacher, x, t_n1, t_n: x - column(t_n1) * teacher(x, t_n1),
    ),
    _mistake(
        "lower_time_as_step",
        "The step seems to have the length t_n.",
        "How far is it from t_n1 to t_n?",
        lambda teacher, x, t_n1, t_n: x - column(t_n) * teacher(x, t_n1),
    ),
    _mistake(
        "unit_step",
        "The velocity seems to be subtracted in full, as if the step had the length one.",
        "How far is it from t_n1 to t_n?",
        lambda teacher, x, t_n1, t_n: x - teacher(x, t_n1),
    ),
    _mistake(
        "first_step_for_all",
        "Every row seems to get the step size of the first row.",
        "What happens in a batch whose rows have different times?",
        lambda teacher, x, t_n1, t_n: x - (t_n1 - t_n)[0] * teacher(x, t_n1),
    ),
    _mistake(
        "mean_step_for_all",
        "Every row seems to get the mean of all step sizes.",
        "Why should one row's step depend on its neighbours?",
        lambda teacher, x, t_n1, t_n: x - (t_n1 - t_n).mean() * teacher(x, t_n1),
    ),
    _mistake(
        "velocity_returned",
        "The result looks like the teacher's velocity, not like a point.",
        "What must be done with the velocity to arrive at the next level?",
        lambda teacher, x, t_n1, t_n: teacher(x, t_n1),
    ),
    _mistake(
        "teacher_as_denoiser",
        "The teacher's answer seems to be taken for an estimate of x_0 and mixed with the point.",
        "What does a flow-matching model predict?",
        lambda teacher, x, t_n1, t_n: x + column((t_n - t_n1) / t_n1) * (x - teacher(x, t_n1)),
    ),
    _mistake(
        "second_order_step",
        "The step looks like one of Heun's or the midpoint rule, which ask for the velocity twice.",
        "How often may the teacher be asked?",
        _heun,
    ),
    _mistake(
        "teacher_at_mean_time",
        "The velocity seems to be taken at the time in the middle of the step.",
        "At which time is x_tn1 a point of the trajectory?",
        lambda teacher, x, t_n1, t_n: x - column(t_n1 - t_n) * teacher(x, (t_n1 + t_n) / 2),
    ),
    Known(
        Misconception(
            "one_step_size",
            "Every row seems to make a step of the same size, whatever its times are.",
            "Is there a number in the code that belongs to the notebook's noise levels?",
        ),
        lambda got, teacher, x_tn1, t_n1, t_n: (
            alike(
                got,
                _one_step_size(teacher, x_tn1.double(), t_n1.double(), t_n.double(), got.double()),
            )
            and len(got) > 1
        ),
    ),
)
