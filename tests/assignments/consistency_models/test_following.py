"""Following the reference's run: agreement up to rounding, the step where two part, slow and failing functions."""

from __future__ import annotations

import contextlib
import io
import itertools
import warnings
from itertools import pairwise

import pytest
import torch

from autograder.assignments.consistency_models.prepare import PreparedTraining
from autograder.assignments.consistency_models.training import following
from autograder.assignments.consistency_models.training.following import (
    AFFINE_STEPS_A_MESSAGE,
    AGREEMENT,
    SNAP,
    STEPS_A_MESSAGE,
    Followed,
    follow,
)
from autograder.assignments.consistency_models.training.functions import (
    AVERAGE,
    FUNCTIONS,
    Asking,
    Networks,
    StudentFunctions,
)
from autograder.assignments.consistency_models.training.recipe import Progress, Recipe
from autograder.box.messages import Model
from autograder.nbgrader_host.kernel import LocalStudent
from autograder.verdict import CheckFailed, Status
from tests.bank import load_bank
from tests.trainings import SHORT, reference, short_reference, student

RIGHT = [record for record in load_bank() if record.task in FUNCTIONS and record.kind == "right"]

OFF = """
def noisy_sample(x_0, epsilon, t):
    global calls
    calls += 1
    level = t[:, None]
    x_t = (1 - level) * x_0 + level * epsilon
    return x_t * {factor} if calls > {after} else x_t
"""


class SlowStudent(LocalStudent):
    """A student whose every call takes two seconds, by a clock of its own."""

    left = 120.0
    counts: tuple[int, ...] = ()  # of the steps in each message

    def seconds_left(self) -> float:
        return self.left

    def request(self, message, answer):  # type: ignore[no-untyped-def]
        self.counts += (message.count,)
        self.left -= 2.0 * message.count * len(message.calls)
        return super().request(message, answer)


def followed(
    of: LocalStudent, own: frozenset[str] = frozenset(FUNCTIONS), by: PreparedTraining | None = None
) -> Followed:
    """Follow a reference, the short one where none is given, with a student's functions."""
    reference = by or short_reference()
    asking = Asking(Networks.of_notebook(reference.recipe, reference.calibration.teacher))
    functions = StudentFunctions(of, own, reference.functions, asking)
    return follow(functions, reference.path)


def failure(of: LocalStudent) -> CheckFailed:
    """Return what following a student raises."""
    try:
        followed(of)
    except CheckFailed as failed:
        return failed
    raise AssertionError("nothing was raised")


def test_follow_ends_exactly_where_the_reference_ended() -> None:
    """What agrees is snapped: the weights are the reference's to the last bit."""
    found = followed(student())
    assert found.function == ""
    assert found.run.step == SHORT.steps
    assert torch.equal(found.run.online, short_reference().run.online)


def test_follow_takes_rounding_for_agreement() -> None:
    """An answer that is off by less than the limit leaves no trace in the result."""
    off = OFF.format(factor=1 + SNAP / 2, after=0)
    found = followed(student({"noisy_sample": off}, ("calls = 0",)))
    assert found.function == ""
    assert torch.equal(found.run.online, short_reference().run.online)


def test_follow_stops_at_the_step_where_an_answer_disagrees() -> None:
    """The run stands before that step, with the reference's own weights and moments."""
    off = OFF.format(factor=1 + 3 * SNAP, after=40)
    found = followed(student({"noisy_sample": off}, ("calls = 0",)))
    assert (found.function, found.run.step) == ("noisy_sample", 40)
    reference = short_reference()
    expected = Progress(reference.recipe, reference.start)
    for step in range(40):
        expected.descend(reference.run.gradient[step])
        expected.end_step(expected.averaged())
    assert torch.equal(found.run.online, expected.online)
    assert torch.equal(found.run.target, expected.target)


def test_follow_asks_own_functions_alone() -> None:
    """A function that failed by itself is never called."""
    broken = "def ema_update(online, target, decay):\n    raise ValueError"
    assert followed(student({"ema_update": broken}), frozenset(FUNCTIONS) - {"ema_update"}).function == ""


def test_follow_sends_many_steps_in_a_message() -> None:
    """Once the first steps agree, messages hold many of them."""
    of = student()
    sizes: list[int] = []
    request = of.request
    of.request = lambda message, answer: (sizes.append(message.count), request(message, answer))[1]  # type: ignore[method-assign]
    followed(of)
    assert sum(sizes) == SHORT.steps
    assert sizes[:5] == [1, 2, 4, 8, STEPS_A_MESSAGE]


def test_follow_asks_every_sixth_step_with_the_networks_of_the_run() -> None:
    """From the first step to the last of a whole run: 93 of 500."""
    of = student()
    asked: list[tuple[bool, int]] = []
    request = of.request

    def note(message: dict, answer: object) -> object:  # type: ignore[type-arg]
        kinds = {item.kind for call in message.calls for item in call.arguments if isinstance(item, Model)}
        asked.append((kinds == {"ToyModel", "ConsistencyModel"}, message.count))
        return request(message, answer)

    of.request = note  # type: ignore[method-assign]
    followed(of, by=reference())
    steps = [with_networks for with_networks, count in asked for _ in range(count)]
    assert len(steps) == Recipe().steps
    assert sum(steps) == 93
    apart = [step for step, with_networks in enumerate(steps) if with_networks]
    assert apart[0] == 0
    assert max(after - before for before, after in pairwise(apart)) == AFFINE_STEPS_A_MESSAGE + 1


@pytest.mark.parametrize("after", [20, 30], ids=["with networks", "with affine maps"])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_follow_sees_each_function_go_wrong_late(function, after) -> None:  # type: ignore[no-untyped-def]
    """Wrong from one call on is found at that call, whatever networks it is about."""
    of = student(cells=("calls = 0",))
    namespace = vars(of)["_answerer"].namespace
    right, calls = namespace[function], itertools.count(1)

    def late(*arguments):  # type: ignore[no-untyped-def]
        result = right(*arguments)
        if next(calls) <= after:
            return result
        if function == AVERAGE:
            for parameter in arguments[1].parameters():
                parameter.data *= 1.01
            return result
        return result * 1.01

    namespace[function] = late
    found = followed(of)
    assert (found.function, found.run.step) == (function, after)
    assert found.difference > AGREEMENT


@pytest.mark.parametrize("record", RIGHT, ids=lambda record: record.id)
def test_recorded_right_answers_agree_on_affine_maps(record) -> None:  # type: ignore[no-untyped-def]
    """Rounding stays as far below the limit as it does with networks: no right answer is trained for real for it."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings(action="ignore"):  # some print
        found = followed(student({record.task: record.answer}, tuple(filter(None, (record.before, record.after)))))
    assert (found.function, found.difference) == ("", 0.0)


def test_follow_takes_the_agreement_so_far_of_a_slow_student_as_proof() -> None:
    """After 20 seconds of its own time a right function has shown enough; slow steps travel alone."""
    of = SlowStudent(vars(student())["_answerer"].namespace)
    found = followed(of)
    assert found.function == ""
    assert torch.equal(found.run.online, short_reference().run.online)
    assert of.counts == (1, 1, 1)
    assert 120.0 - of.left == 24.0  # three steps of eight seconds: the first one that ends beyond the budget


def test_follow_excuses_no_disagreement_of_a_slow_student() -> None:
    """Slow and wrong is wrong."""
    off = OFF.format(factor=1.5, after=1)
    of = SlowStudent(vars(student({"noisy_sample": off}, ("calls = 0",)))["_answerer"].namespace)
    assert followed(of).function == "noisy_sample"


def test_follow_leaves_half_of_a_slow_students_time(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    """A student who has 16 seconds left spends 8 of them here, so that time-outs cost right answers nothing."""
    of = SlowStudent(vars(student())["_answerer"].namespace)
    of.left = 16.0
    assert followed(of).function == ""
    assert of.left == 8.0
    assert following.FOLLOW_SECONDS > 16.0


def test_follow_reports_a_function_that_raises_in_training_alone() -> None:
    """The message says when it happened."""
    raises = "def noisy_sample(x_0, epsilon, t):\n    if len(x_0) == 64: raise ValueError('64')\n    return x_0"
    failed = failure(student({"noisy_sample": raises}))
    assert failed.status is Status.RUNTIME
    assert failed.message.startswith("During a training: noisy_sample")


def test_follow_refuses_nan() -> None:
    """NaN is an error, never a value that agrees."""
    nan = "def noisy_sample(x_0, epsilon, t):\n    return x_0 * float('nan')"
    failed = failure(student({"noisy_sample": nan}))
    assert failed.status is Status.CONTRACT
    assert "NaN" in failed.message


def test_follow_refuses_a_loss_without_a_gradient() -> None:
    """A loss that reaches no parameter leaves no gradient to compare."""
    loss = "def consistency_distillation_loss(*a):\n    return torch.zeros((), requires_grad=True)"
    failed = failure(student({"consistency_distillation_loss": loss}))
    assert failed.status is Status.CONTRACT
    assert "gradient of consistency_distillation_loss" in failed.message
